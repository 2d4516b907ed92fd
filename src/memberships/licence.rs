//! A licence key that somebody enters: whoever has it holds the membership, once and from then on.

use domain::{FieldErrors, PersonId, Provider};
use secrecy::{ExposeSecret as _, SecretString};

use super::take_in::take_in;
use super::{Rule, check};
use crate::limits::{self, LICENCE_BY_PERSON};
use crate::people::SignedIn;
use crate::providers::ProviderError;
use crate::{Context, Error, Refusal, Result};

const KEY_BYTES_MAX: usize = 200;

/// A licence key, as far as it can be one.
#[derive(Debug, Clone)]
pub struct LicenceKey(SecretString);

impl LicenceKey {
    pub fn parse(field: &str, text: &str) -> Result<Self, FieldErrors> {
        let key = text.trim();
        let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        // An id would be looked up as well, and is no secret.
        if key.is_empty() || key.len() > KEY_BYTES_MAX || !plain || key.starts_with("mem_") {
            return Err(FieldErrors::one(
                field,
                "Enter the licence key as Whop shows it: letters, digits and hyphens.",
            ));
        }
        Ok(Self(SecretString::from(key)))
    }
}

/// Binds the membership behind the key to the person.
///
/// Errors: [`Error::Invalid`] on `licence` for a key that nobody has, or of something else than is asked for;
/// [`Refusal::LicenceTaken`]; [`Refusal::MembershipUnknown`] while Whop does not answer.
pub async fn bind(ctx: &Context, person: &SignedIn, key: LicenceKey) -> Result<()> {
    let id = person.id();
    limits::take(ctx, &LICENCE_BY_PERSON, &id.to_string()).await?;
    let wrong = || Error::Invalid(FieldErrors::one("licence", "This key isn’t known. Copy it once more from Whop."));
    let provider = ctx.providers.get(Provider::Whop).ok_or(Error::NotFound)?;
    let told = match provider.membership(key.0.expose_secret(), ctx.now()).await {
        Ok(facts) => check::of_ours(provider, vec![facts]),
        Err(ProviderError::NotFound) => return Err(wrong()),
        Err(error) => {
            tracing::warn!(%error, "a licence key could not be asked for");
            return Err(Refusal::MembershipUnknown.into());
        }
    };
    let fits = |rule: &Rule| {
        let named = |id: &Option<String>| id.as_ref().is_some_and(|id| rule.ids().contains(id));
        told.first().filter(|facts| named(&facts.product_id) || named(&facts.plan_id))
    };
    let facts = ctx.membership_rule.as_ref().and_then(fits).ok_or_else(wrong)?;
    let mut tx = ctx.db.begin().await?;
    take_in(&mut tx, Provider::Whop, &[facts]).await?;
    // Whose account there holds it, holds it here: a key that was passed on takes nothing away from them.
    let bound = sqlx::query!(
        "update memberships m set person_id = $3 where m.provider = $1 and m.id = $2 and (
            m.person_id = $3 or m.person_id is null and not exists (
                select from identities i where i.subject = m.subject and i.issuer = $4 and i.person_id <> $3))",
        Provider::Whop as Provider,
        facts.membership_id,
        id as PersonId,
        ctx.whop_oauth.as_ref().map(|oauth| oauth.issuer().to_owned()),
    )
    .execute(&mut *tx)
    .await?;
    if bound.rows_affected() == 0 {
        return Err(Refusal::LicenceTaken.into());
    }
    tx.commit().await?;
    Ok(())
}
