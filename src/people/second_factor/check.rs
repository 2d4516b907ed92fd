//! Checking a code, of the authenticator or for recovery. Each works once.

use domain::PersonId;

use super::recovery::RecoveryCode;
use super::{place, seconds, tell, totp};
use crate::audit::{self, About, By, Origin, What, Who};
use crate::limits::{self, CODES_BY_PERSON};
use crate::notify::AccountNews;
use crate::{Context, Error, Refusal, Result};

/// Takes a code from whoever has a second factor. Tries that fail are counted by person.
///
/// Errors: [`Refusal::WrongCode`], also for one that was used; [`Refusal::TooManyTries`].
pub async fn take(ctx: &Context, id: PersonId, typed: &str, origin: &Origin) -> Result<()> {
    let name = id.to_string();
    limits::take(ctx, &CODES_BY_PERSON, &name).await?;
    let taken = match RecoveryCode::parse(typed) {
        Some(code) => use_up(ctx, id, &code, origin).await,
        None => fits(ctx, id, typed).await,
    };
    if !matches!(taken, Ok(false)) {
        limits::give_back(&ctx.db, &CODES_BY_PERSON, &name).await?;
    }
    if taken? { Ok(()) } else { Err(Refusal::WrongCode.into()) }
}

async fn fits(ctx: &Context, id: PersonId, typed: &str) -> Result<bool> {
    let sealed = sqlx::query_scalar!("select sealed_secret from second_factors where person_id = $1", id as PersonId)
        .fetch_optional(&ctx.db)
        .await?;
    let Some(sealed) = sealed.flatten() else { return Ok(false) };
    let secret = ctx.vault.open(place("sealed_secret", id.uuid()), &sealed).map_err(Error::broken)?;
    let digits: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let Some(step) = totp(&secret, "")?.check(&digits, seconds(ctx)) else { return Ok(false) };
    // Whoever looked over a shoulder can't use it again, nor can two at once.
    let first = sqlx::query!(
        "update second_factors set last_step = $2 where person_id = $1 and last_step < $2",
        id as PersonId,
        i64::try_from(step).unwrap_or(i64::MAX),
    )
    .execute(&ctx.db)
    .await?;
    Ok(first.rows_affected() == 1)
}

async fn use_up(ctx: &Context, id: PersonId, code: &RecoveryCode, origin: &Origin) -> Result<bool> {
    let mut tx = ctx.db.begin().await?;
    let used = sqlx::query!(
        "update recovery_codes set used_at = $3 where person_id = $1 and code_hash = $2 and used_at is null",
        id as PersonId,
        &code.hash()[..],
        ctx.now(),
    )
    .execute(&mut *tx)
    .await?;
    if used.rows_affected() == 1 {
        tell(ctx, &mut tx, id, AccountNews::RecoveryCodeUsed).await?;
        let by = By { who: Who::Person(id), origin };
        audit::record(&mut tx, &by.did(What::RecoveryCodeUsed, About::Person(id))).await?;
    }
    tx.commit().await?;
    Ok(used.rows_affected() == 1)
}
