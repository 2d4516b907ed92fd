//! Access tokens are renewed before they end. A refresh token works once, so one caller at a time holds a lease on the grant, in
//! the database, for all processes; the call itself is made outside of every transaction.

use std::time::Duration as Wait;

use secrecy::SecretString;
use time::{Duration, OffsetDateTime};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Which, Why, end, open, seal};
use crate::providers::whop::oauth::{Oauth, OauthError, Tokens};
use crate::vault::Sealed;
use crate::{Context, Error, Result, ids};

/// Renewed so long before the end.
pub const BEFORE_END: Duration = Duration::minutes(5);
/// Much longer than a call may take. Whoever dies in between leaves the grant to others after it; but what they were given
/// is lost then, and the person has to sign in again.
pub(super) const LEASE_LASTS: Duration = Duration::seconds(30);
const LOOK_AGAIN_AFTER: Wait = Wait::from_millis(50);
const WAIT_MAX: Wait = Wait::from_secs(8);

/// A token that is good for a while yet.
#[derive(Debug, Clone)]
pub struct Access {
    pub token: SecretString,
    pub ends_at: OffsetDateTime,
}

/// Why there is none.
#[derive(Debug)]
pub enum NoAccess {
    /// The grant is over, and its session with it: the person has to sign in again.
    SignInAgain,
    Failed(Error),
}

impl From<Error> for NoAccess {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What a grant holds.
pub(super) struct Leased {
    pub id: Uuid,
    pub lease: Uuid,
    pub sealed_refresh: Option<Vec<u8>>,
}

/// The grant's access token, renewed first if it ends soon. However many ask at once, in however many processes, Whop is asked
/// once; the others wait for it.
pub async fn access(ctx: &Context, oauth: &Oauth, grant: Uuid) -> Result<Access, NoAccess> {
    let give_up_at = Instant::now() + WAIT_MAX;
    loop {
        let Some(kept) = load(ctx, grant).await? else { return Err(NoAccess::SignInAgain) };
        let now = ctx.now();
        if kept.ends_at > now + BEFORE_END {
            return match open(&ctx.vault, Which::Access, grant, &kept.sealed_access) {
                Ok(token) => Ok(Access { token, ends_at: kept.ends_at }),
                Err(error) => Err(unreadable(ctx, grant, error).await?),
            };
        }
        if let Some(leased) = lease(ctx, grant).await? {
            renew(ctx, oauth, leased).await?;
        } else if Instant::now() > give_up_at {
            return Err(Error::unavailable("somebody else is renewing this grant, and does not come to an end").into());
        } else {
            tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        }
    }
}

/// Renews what is leased. Afterwards the grant is renewed, or it is over, or this fails and it may be tried again.
pub(super) async fn renew(ctx: &Context, oauth: &Oauth, leased: Leased) -> Result<(), NoAccess> {
    let Leased { id, lease, sealed_refresh } = leased;
    // Without one, it ends with its access token.
    let Some(sealed) = sealed_refresh else {
        end(ctx, id, Why::Refused).await?;
        return Err(NoAccess::SignInAgain);
    };
    let token = match open(&ctx.vault, Which::Refresh, id, &sealed) {
        Ok(token) => token,
        Err(error) => return Err(unreadable(ctx, id, error).await?),
    };
    match oauth.refresh(&token).await {
        Ok(tokens) => Ok(store(ctx, id, lease, &tokens).await?),
        Err(OauthError::Gone) => {
            tracing::info!(grant = %id, "a grant was taken back; its session is over");
            end(ctx, id, Why::Refused).await?;
            Err(NoAccess::SignInAgain)
        }
        Err(error) => {
            release(ctx, id, lease).await?;
            Err(Error::unavailable(error).into())
        }
    }
}

/// What can't be opened is as good as lost: whoever has it signs in again.
async fn unreadable(ctx: &Context, grant: Uuid, error: Sealed) -> Result<NoAccess> {
    tracing::error!(%grant, %error, "a sealed token does not open; its session is ended");
    end(ctx, grant, Why::Unreadable).await?;
    Ok(NoAccess::SignInAgain)
}

struct Kept {
    sealed_access: Vec<u8>,
    ends_at: OffsetDateTime,
}

async fn load(ctx: &Context, grant: Uuid) -> Result<Option<Kept>> {
    Ok(sqlx::query_as!(
        Kept,
        "select sealed_access, access_ends_at as ends_at from identity_grants where id = $1 and ended_at is null",
        grant,
    )
    .fetch_optional(&ctx.db)
    .await?)
}

/// None: somebody else has it, or there is no need (any more).
async fn lease(ctx: &Context, grant: Uuid) -> Result<Option<Leased>> {
    let (lease, now) = (ids::fresh(), ctx.now());
    let row = sqlx::query!(
        "update identity_grants set lease = $2, leased_until = $4
        where id = $1 and ended_at is null and access_ends_at <= $5 and (leased_until is null or leased_until < $3)
        returning sealed_refresh",
        grant,
        lease,
        now,
        now + LEASE_LASTS,
        now + BEFORE_END,
    )
    .fetch_optional(&ctx.db)
    .await?;
    Ok(row.map(|row| Leased { id: grant, lease, sealed_refresh: row.sealed_refresh }))
}

/// Only whoever still holds the lease may write: after it, somebody else may have newer ones.
async fn store(ctx: &Context, grant: Uuid, lease: Uuid, tokens: &Tokens) -> Result<()> {
    let stored = sqlx::query!(
        "update identity_grants set sealed_access = $3, sealed_refresh = coalesce($4, sealed_refresh), access_ends_at = $5,
            lease = null, leased_until = null
        where id = $1 and lease = $2",
        grant,
        lease,
        seal(&ctx.vault, Which::Access, grant, &tokens.access),
        tokens.refresh.as_ref().map(|token| seal(&ctx.vault, Which::Refresh, grant, token)),
        ctx.now() + tokens.lives,
    )
    .execute(&ctx.db)
    .await?;
    if stored.rows_affected() == 0 {
        tracing::warn!(%grant, "a renewed token came too late to be kept");
    }
    Ok(())
}

async fn release(ctx: &Context, grant: Uuid, lease: Uuid) -> Result<()> {
    sqlx::query!(
        "update identity_grants set lease = null, leased_until = null where id = $1 and lease = $2",
        grant,
        lease,
    )
    .execute(&ctx.db)
    .await?;
    Ok(())
}
