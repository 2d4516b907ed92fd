//! Making an account. Whoever opens one can use it at once, in their browser, and only claims the address that they type: so
//! nothing is to be seen of whether somebody else has it (T47).

use domain::{FieldErrors, PersonId};
use sqlx::PgConnection;

use super::password::{self, NewPassword, Turn};
use super::{Role, SignedIn, email};
use crate::audit::{self, About, By, Change, Origin, What, Who};
use crate::limits::{self, MAIL_BY_RECIPIENT};
use crate::{Context, Error, Refusal, Result, ids};

const EMAIL_LENGTH_MAX: usize = 254;
const EMAIL_TAKEN: &str = "There is an account with this email already.";

/// An email address in the form we keep: trimmed and in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Only a plausibility check: something on both sides of one `@`, a dot on the right, no spaces. Whether mail
    /// arrives there is for a mail to find out.
    pub fn parse(field: &str, text: &str) -> Result<Self, FieldErrors> {
        let email = text.trim().to_lowercase();
        if email.is_empty() {
            return Err(FieldErrors::one(field, "Enter your email address."));
        }
        let plausible = email.len() <= EMAIL_LENGTH_MAX
            && !email.chars().any(|c| c.is_whitespace() || c.is_control())
            && email.split_once('@').is_some_and(|(local, host)| {
                !local.is_empty()
                    && !host.contains('@')
                    && host.contains('.')
                    && !host.starts_with('.')
                    && !host.ends_with('.')
            });
        if plausible {
            Ok(Self(email))
        } else {
            Err(FieldErrors::one(
                field,
                "This doesn’t look like an email address. It should read like ana@example.com.",
            ))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Makes a person with an empty wallet who claims the address, and has a link sent there. Whether somebody has it already is
/// not looked at: what the mail says differs, and nothing else.
pub async fn register(ctx: &Context, address: Email, password: NewPassword, origin: &Origin) -> Result<SignedIn> {
    let hash = password::hash(&Turn::of_a_stranger()?, password).await?;
    let may_mail = match limits::take(ctx, &MAIL_BY_RECIPIENT, address.as_str()).await {
        Ok(()) => true,
        // They can have it sent later.
        Err(Error::Refused(Refusal::TooManyTries { .. })) => false,
        Err(error) => return Err(error),
    };
    let id = PersonId::from_uuid(ids::fresh());
    let mut tx = ctx.db.begin().await?;
    sqlx::query!(
        "insert into user_profiles (id, claimed_email, password_hash) values ($1, $2, $3)",
        id as PersonId,
        address.as_str(),
        hash,
    )
    .execute(&mut *tx)
    .await?;
    if may_mail {
        email::ask_to_confirm(ctx, &mut tx, id, address.as_str()).await?;
    }
    let person = begin(&mut tx, id, &By { who: Who::Person(id), origin }).await?;
    tx.commit().await?;
    Ok(person)
}

/// Makes a person with any role, whose address it is; for the command line.
///
/// Errors: [`Error::Invalid`] on `email` when it is taken.
pub async fn register_as(
    ctx: &Context,
    by: &By<'_>,
    email: Email,
    password: NewPassword,
    role: Role,
) -> Result<SignedIn> {
    let hash = password::hash(&Turn::of_somebody_known()?, password).await?;
    let mut tx = ctx.db.begin().await?;
    let person = named(&mut tx, by, "", &email, &hash, role).await?;
    tx.commit().await?;
    Ok(person)
}

/// The same as a step of something larger, with a name.
pub(crate) async fn named(
    tx: &mut PgConnection,
    by: &By<'_>,
    name: &str,
    email: &Email,
    hash: &str,
    role: Role,
) -> Result<SignedIn> {
    let made = insert(tx, PersonId::from_uuid(ids::fresh()), by, Profile { name, email, hash, role }).await?;
    made.ok_or_else(|| Error::Invalid(FieldErrors::one("email", EMAIL_TAKEN)))
}

/// What somebody begins with. Their address counts as confirmed.
struct Profile<'a> {
    name: &'a str,
    email: &'a Email,
    hash: &'a str,
    role: Role,
}

/// Makes a person who signs in elsewhere, where the address was verified. None: somebody has it.
pub(super) async fn without_password(
    tx: &mut PgConnection,
    email: &Email,
    origin: &Origin,
) -> Result<Option<SignedIn>> {
    let id = PersonId::from_uuid(ids::fresh());
    let profile = Profile { name: "", email, hash: "", role: Role::Buyer };
    insert(tx, id, &By { who: Who::Person(id), origin }, profile).await
}

async fn insert(tx: &mut PgConnection, id: PersonId, by: &By<'_>, profile: Profile<'_>) -> Result<Option<SignedIn>> {
    let made = sqlx::query!(
        "insert into user_profiles (id, email, name, password_hash, role) values ($1, $2, $3, $4, $5)
        on conflict (email) do nothing",
        id as PersonId,
        profile.email.as_str(),
        profile.name,
        profile.hash,
        profile.role.as_str(),
    )
    .execute(&mut *tx)
    .await?;
    if made.rows_affected() == 0 {
        return Ok(None);
    }
    Ok(Some(begin(tx, id, by).await?))
}

/// The wallet, and the first entry about somebody.
async fn begin(tx: &mut PgConnection, id: PersonId, by: &By<'_>) -> Result<SignedIn> {
    sqlx::query!("select credits_open_wallet($1)", id as PersonId).fetch_one(&mut *tx).await?;
    let person = super::load(&mut *tx, id).await?.ok_or_else(|| Error::broken("a new person is not there"))?;
    let change = Change::none().noted("role", person.role().as_str());
    audit::record(tx, &by.did(What::Registered, About::Person(id)).with(change)).await?;
    Ok(person)
}
