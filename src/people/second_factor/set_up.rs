//! Setting a second factor up: a secret and recovery codes are made and shown, and count once the authenticator has shown a
//! code that fits. Until then an older one stays as it is.

use domain::PersonId;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};

use super::recovery::{CODES, RecoveryCode};
use super::{SECRET_BYTES, fresh_secret, place, seconds, tell, totp};
use crate::audit::{self, About, By, Origin, What, Who};
use crate::notify::AccountNews;
use crate::people::fresh::Fresh;
use crate::people::sessions;
use crate::{Context, Error, Refusal, Result};

/// What its owner has to see, while it is being set up.
pub struct Pending {
    /// In base32, for typing.
    pub secret: SecretString,
    /// For authenticators that read it from a picture: `otpauth://totp/…`.
    pub url: SecretString,
    pub codes: Vec<RecoveryCode>,
}

/// Makes a secret and codes; those of an earlier beginning are thrown away.
///
/// Errors: [`Refusal::ConfirmEmailFirst`]: who opens an account in another's name must not lock it as well.
pub async fn begin(ctx: &Context, fresh: &Fresh) -> Result<()> {
    let person = fresh.person();
    if !person.email_is_confirmed() {
        return Err(Refusal::ConfirmEmailFirst.into());
    }
    let id = person.id();
    let secret = fresh_secret();
    let codes: Vec<RecoveryCode> = (0..CODES).map(|_| RecoveryCode::fresh()).collect();
    let mut plain = secret.expose_secret().to_vec();
    for code in &codes {
        plain.extend_from_slice(code.expose().as_bytes());
        plain.push(b'\n');
    }
    let plain = SecretSlice::from(plain);
    sqlx::query!(
        "insert into second_factors (person_id, sealed_pending, pending_since) values ($1, $2, $3)
        on conflict (person_id) do update set sealed_pending = excluded.sealed_pending, pending_since = excluded.pending_since",
        id as PersonId,
        ctx.vault.seal(place("sealed_pending", id.uuid()), plain.expose_secret()),
        ctx.now(),
    )
    .execute(&ctx.db)
    .await?;
    Ok(())
}

/// What was begun, for whoever has just confirmed that it is theirs. None: nothing was.
pub async fn pending(ctx: &Context, fresh: &Fresh) -> Result<Option<Pending>> {
    let person = fresh.person();
    let Some((secret, codes)) = load(ctx, person.id()).await? else { return Ok(None) };
    let totp = totp(&secret, person.email())?;
    let url = totp.to_url().map_err(|error| Error::broken(error.to_string()))?;
    Ok(Some(Pending { secret: totp.secret().to_base32().into(), url: url.into(), codes }))
}

/// Turns it on with a code of the new secret. `session` is the one that goes on, all others of the person end.
///
/// Errors: [`Error::NotFound`] when nothing was begun; [`Refusal::WrongCode`].
pub async fn finish(ctx: &Context, fresh: &Fresh, code: &str, session: [u8; 32], origin: &Origin) -> Result<()> {
    let person = fresh.person();
    let id = person.id();
    let (secret, codes) = load(ctx, id).await?.ok_or(Error::NotFound)?;
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let step = totp(&secret, person.email())?.check(&digits, seconds(ctx)).ok_or(Refusal::WrongCode)?;
    let hashes: Vec<Vec<u8>> = codes.iter().map(|code| code.hash().to_vec()).collect();
    let mut tx = ctx.db.begin().await?;
    let done = sqlx::query!(
        "update second_factors set sealed_secret = $2, on_since = $3, last_step = $4, sealed_pending = null, pending_since = null
        where person_id = $1 and sealed_pending is not null",
        id as PersonId,
        ctx.vault.seal(place("sealed_secret", id.uuid()), secret.expose_secret()),
        ctx.now(),
        i64::try_from(step).unwrap_or(i64::MAX),
    )
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(Error::NotFound);
    }
    sqlx::query!("delete from recovery_codes where person_id = $1", id as PersonId).execute(&mut *tx).await?;
    sqlx::query!(
        "insert into recovery_codes (person_id, code_hash) select $1::uuid, hash from unnest($2::bytea[]) hash",
        id as PersonId,
        &hashes,
    )
    .execute(&mut *tx)
    .await?;
    sessions::end_all_but(&mut *tx, id, session).await?;
    tell(ctx, &mut tx, id, AccountNews::SecondFactorOn).await?;
    let by = By { who: Who::Person(id), origin };
    audit::record(&mut tx, &by.did(What::SecondFactorAdded, About::Person(id))).await?;
    tx.commit().await?;
    Ok(())
}

async fn load(ctx: &Context, id: PersonId) -> Result<Option<(SecretSlice<u8>, Vec<RecoveryCode>)>> {
    let sealed = sqlx::query_scalar!("select sealed_pending from second_factors where person_id = $1", id as PersonId)
        .fetch_optional(&ctx.db)
        .await?;
    let Some(sealed) = sealed.flatten() else { return Ok(None) };
    let plain = ctx.vault.open(place("sealed_pending", id.uuid()), &sealed).map_err(Error::broken)?;
    let (secret, codes) =
        plain.expose_secret().split_at_checked(SECRET_BYTES).ok_or_else(|| Error::broken("a secret cut short"))?;
    let codes = std::str::from_utf8(codes).map_err(Error::broken)?;
    Ok(Some((SecretSlice::from(secret.to_vec()), codes.lines().filter_map(RecoveryCode::parse).collect())))
}
