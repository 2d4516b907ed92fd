//! What somebody has beside their password: an authenticator that shows a new code every 30 seconds (RFC 6238), and recovery
//! codes for when it is lost.

pub mod check;
pub mod recovery;
pub mod set_up;

use domain::PersonId;
use rand::Rng as _;
use secrecy::{ExposeSecret as _, SecretSlice};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use totp_rs::{Builder, Totp};
use uuid::Uuid;

use super::fresh::Fresh;
use super::{Role, SignedIn, sessions};
use crate::audit::{self, About, By, Origin, What, Who};
use crate::notify::{self, AccountNews, News};
use crate::vault::Place;
use crate::{Context, Error, Refusal, Result};

/// What authenticators show above the code.
const ISSUER: &str = "Atlas Credits";
/// RFC 4226 recommends 160 bits.
const SECRET_BYTES: usize = 20;

/// How it stands with somebody's second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub on_since: Option<OffsetDateTime>,
    pub codes_left: i64,
}

pub async fn standing(ctx: &Context, person: &SignedIn) -> Result<Standing> {
    let id = person.id();
    let row = sqlx::query!(
        r#"select on_since,
            (select count(*) from recovery_codes code where code.person_id = $1 and code.used_at is null) as "codes_left!"
        from second_factors where person_id = $1"#,
        id as PersonId,
    )
    .fetch_optional(&ctx.db)
    .await?;
    Ok(row.map_or(Standing { on_since: None, codes_left: 0 }, |row| Standing {
        on_since: row.on_since,
        codes_left: row.codes_left,
    }))
}

/// Whether somebody with this role has to have one: whoever can do harm to others.
pub const fn is_required(ctx: &Context, role: Role) -> bool {
    ctx.staff_need_second_factor && !matches!(role, Role::Buyer)
}

/// Removes it.
///
/// Errors: [`Error::NotFound`] when there is none; [`Refusal::SecondFactorRequired`] where the role asks for one.
pub async fn turn_off(ctx: &Context, fresh: &Fresh, origin: &Origin) -> Result<()> {
    let person = fresh.person();
    if !person.has_second_factor() {
        return Err(Error::NotFound);
    }
    if is_required(ctx, person.role()) {
        return Err(Refusal::SecondFactorRequired.into());
    }
    let mut tx = ctx.db.begin().await?;
    remove(&mut *tx, person.id()).await?;
    tell(ctx, &mut tx, person.id(), AccountNews::SecondFactorOff).await?;
    let by = By { who: Who::Person(person.id()), origin };
    audit::record(&mut tx, &by.did(What::SecondFactorRemoved, About::Person(person.id()))).await?;
    tx.commit().await?;
    Ok(())
}

/// Removes somebody's who lost authenticator and codes, and ends their sessions; for the command line, whose user has seen to
/// it that it is them. `false`: there is nobody with this email.
pub async fn reset(ctx: &Context, by: &By<'_>, email: &str) -> Result<bool> {
    let email = email.trim().to_lowercase();
    let mut tx = ctx.db.begin().await?;
    let id = sqlx::query_scalar!(r#"select id as "id: PersonId" from user_profiles where email = $1"#, email)
        .fetch_optional(&mut *tx)
        .await?;
    let Some(id) = id else { return Ok(false) };
    remove(&mut *tx, id).await?;
    sessions::end_all(&mut *tx, id).await?;
    tell(ctx, &mut tx, id, AccountNews::SecondFactorOff).await?;
    audit::record(&mut tx, &by.did(What::SecondFactorRemoved, About::Person(id))).await?;
    tx.commit().await?;
    Ok(true)
}

async fn remove(db: impl PgExecutor<'_>, id: PersonId) -> Result<()> {
    sqlx::query!("delete from second_factors where person_id = $1", id as PersonId).execute(db).await?;
    Ok(())
}

/// To the address that is theirs, if one is.
pub(super) async fn tell(ctx: &Context, tx: &mut PgConnection, id: PersonId, what: AccountNews) -> Result<()> {
    let address = sqlx::query_scalar!("select email from user_profiles where id = $1", id as PersonId)
        .fetch_optional(&mut *tx)
        .await?;
    match address.flatten() {
        Some(address) => notify::announce(ctx, tx, &[News::account(what, Some(id), &address)]).await,
        None => Ok(()),
    }
}

const fn place(column: &'static str, row: Uuid) -> Place<'static> {
    Place { table: "second_factors", column, row }
}

fn fresh_secret() -> SecretSlice<u8> {
    let secret: [u8; SECRET_BYTES] = rand::rng().random();
    SecretSlice::from(secret.to_vec())
}

/// SHA-1, six digits, 30 seconds: what every authenticator can do. A code is good half a minute longer on both sides.
fn totp(secret: &SecretSlice<u8>, account: &str) -> Result<Totp> {
    Builder::new()
        .with_secret(secret.expose_secret().to_vec())
        .with_skew(1)
        .with_issuer(Some(ISSUER))
        // A colon would end the name.
        .with_account_name(account.replace(':', " "))
        .build()
        .map_err(|error| Error::broken(error.to_string()))
}

/// Seconds since 1970, as codes count.
fn seconds(ctx: &Context) -> u64 {
    u64::try_from(ctx.now().unix_timestamp()).unwrap_or_default()
}
