//! Browsers that somebody signed in from before. Each carries a random token in a cookie of its own; it opens nothing, but
//! whoever guesses passwords from elsewhere can't lock the account's owner out there.

use std::fmt;

use domain::PersonId;
use rand::distr::{Alphanumeric, SampleString as _};
use sha2::{Digest as _, Sha256};
use sqlx::PgExecutor;
use time::Duration;

use super::SignedIn;
use super::sign_in::Candidate;
use crate::sweep::{PART, in_parts};
use crate::{Context, Result};

/// 62^43 is a little more than 2^256.
const TOKEN_CHARS: usize = 43;
/// How long an unused device stays known; its cookie lives as long.
pub const KNOWN_FOR: Duration = Duration::days(365);

/// What the cookie holds.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceToken(String);

impl DeviceToken {
    /// None: no token of ours looks like that.
    pub fn parse(text: &str) -> Option<Self> {
        let ours = text.len() == TOKEN_CHARS && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        ours.then(|| Self(text.to_owned()))
    }

    fn fresh() -> Self {
        Self(Alphanumeric.sample_string(&mut rand::rng(), TOKEN_CHARS))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }
}

impl fmt::Debug for DeviceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceToken(…)")
    }
}

/// Whether the person with this email signed in from the device before.
pub(super) async fn is_known(db: impl PgExecutor<'_>, token: &DeviceToken, email: &str) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (
            select from known_devices device join user_profiles person on person.id = device.person_id
            where device.token_hash = $1 and person.email = $2
        ) as "known!""#,
        &token.hash()[..],
        email,
    )
    .fetch_one(db)
    .await?)
}

/// Who opened an account in this browser with an address that they have not shown to be theirs: they come back by it here,
/// and nowhere else.
pub(super) async fn claimant(db: impl PgExecutor<'_>, token: &DeviceToken, email: &str) -> Result<Option<Candidate>> {
    Ok(sqlx::query_as!(
        Candidate,
        r#"select person.id as "id: PersonId", person.password_hash as "hash?"
        from known_devices device join user_profiles person on person.id = device.person_id
        where device.token_hash = $1 and person.email is null and person.claimed_email = $2
        order by person.created_at desc, person.id desc limit 1"#,
        &token.hash()[..],
        email,
    )
    .fetch_optional(db)
    .await?)
}

/// Remembers that the person signed in from this device. What comes back belongs into its cookie: the token that it has,
/// where that is one of ours, or a new one.
pub async fn remember(ctx: &Context, person: &SignedIn, token: Option<DeviceToken>) -> Result<DeviceToken> {
    let id = person.id();
    let ours = match &token {
        Some(token) => {
            sqlx::query_scalar!(
                r#"select exists (select from known_devices where token_hash = $1) as "ours!""#,
                &token.hash()[..]
            )
            .fetch_one(&ctx.db)
            .await?
        }
        None => false,
    };
    let token = token.filter(|_| ours).unwrap_or_else(DeviceToken::fresh);
    sqlx::query!(
        "insert into known_devices (token_hash, person_id, seen_at) values ($1, $2, $3)
        on conflict (token_hash, person_id) do update set seen_at = excluded.seen_at",
        &token.hash()[..],
        id as PersonId,
        ctx.now(),
    )
    .execute(&ctx.db)
    .await?;
    Ok(token)
}

/// From now on no device is known to be theirs.
pub(super) async fn forget_all(db: impl PgExecutor<'_>, person: PersonId) -> Result<()> {
    sqlx::query!("delete from known_devices where person_id = $1", person as PersonId).execute(db).await?;
    Ok(())
}

/// Forgets devices that nobody has used for long.
pub async fn sweep(ctx: &Context) -> Result<()> {
    in_parts(|| async {
        let deleted = sqlx::query!(
            "delete from known_devices where (token_hash, person_id) in (
                select token_hash, person_id from known_devices where seen_at <= $1 limit $2 for update skip locked)",
            ctx.now() - KNOWN_FOR,
            PART,
        );
        deleted.execute(&ctx.db).await
    })
    .await
}
