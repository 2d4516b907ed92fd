//! What grants need that nobody asks for: those in use are renewed in time, those whose session is gone are ended, and those that
//! have ended are given back.

use time::Duration;

use super::refresh::{BEFORE_END, LEASE_LASTS, Leased, NoAccess, renew};
use super::{Which, open};
use crate::providers::whop::oauth::{Oauth, OauthError};
use crate::{Context, Result, ids};

/// At most this many are leased at once: all calls about them have to fit into the lease.
const PART: i64 = 5;
/// A session that nobody used for so long gets its token when it is used again.
const IN_USE: Duration = Duration::hours(1);
/// For a moment no session has it, while one gets a new id.
const ORPHANED_FOR: Duration = Duration::seconds(45);
/// Whop is asked for so long to take one back; after that it is forgotten, and ends there by itself.
const GIVEN_BACK_WITHIN: Duration = Duration::hours(24);

pub async fn care(ctx: &Context) -> Result<()> {
    end_orphans(ctx).await?;
    let Some(oauth) = &ctx.whop_oauth else { return Ok(()) };
    renew_due(ctx, oauth).await?;
    give_back(ctx, oauth).await
}

/// Sessions end in many ways: by age, from another device, with a password. What is left over without one is ended.
async fn end_orphans(ctx: &Context) -> Result<()> {
    let now = ctx.now();
    sqlx::query!(
        "update identity_grants g set orphaned_at = null where orphaned_at is not null and ended_at is null
            and exists (select from sessions s where s.grant_id = g.id)"
    )
    .execute(&ctx.db)
    .await?;
    sqlx::query!(
        "update identity_grants set ended_at = $1, ended_why = 'orphaned' where ended_at is null and orphaned_at <= $2",
        now,
        now - ORPHANED_FOR,
    )
    .execute(&ctx.db)
    .await?;
    sqlx::query!(
        "update identity_grants g set orphaned_at = $1 where orphaned_at is null and ended_at is null
            and not exists (select from sessions s where s.grant_id = g.id)",
        now,
    )
    .execute(&ctx.db)
    .await?;
    Ok(())
}

async fn renew_due(ctx: &Context, oauth: &Oauth) -> Result<()> {
    while renew_some(ctx, oauth).await? {}
    Ok(())
}

/// `false`: there is nothing more to do, or not just now.
async fn renew_some(ctx: &Context, oauth: &Oauth) -> Result<bool> {
    let (lease, now) = (ids::fresh(), ctx.now());
    let due = sqlx::query!(
        "update identity_grants set lease = $1, leased_until = $3 where id in (
            select g.id from identity_grants g
            where g.ended_at is null and g.access_ends_at <= $4 and (g.leased_until is null or g.leased_until < $2)
                and exists (select from sessions s where s.grant_id = g.id and s.seen_at > $5)
            order by g.access_ends_at limit $6 for update skip locked)
        returning id, sealed_refresh",
        lease,
        now,
        now + LEASE_LASTS,
        now + BEFORE_END,
        now - IN_USE,
        PART,
    )
    .fetch_all(&ctx.db)
    .await?;
    let some = !due.is_empty();
    for row in due {
        let leased = Leased { id: row.id, lease, sealed_refresh: row.sealed_refresh };
        match renew(ctx, oauth, leased).await {
            Ok(()) | Err(NoAccess::SignInAgain) => {}
            Err(NoAccess::Failed(error)) => {
                // It is away for all of them. The other leases run out, and it is tried again in a minute.
                tracing::warn!(error = ?error, "tokens could not be renewed");
                return Ok(false);
            }
        }
    }
    Ok(some)
}

async fn give_back(ctx: &Context, oauth: &Oauth) -> Result<()> {
    while give_some_back(ctx, oauth).await? {}
    Ok(())
}

/// `false`: there is nothing more to do, or not just now. What could not be given back stays leased until it is tried again.
async fn give_some_back(ctx: &Context, oauth: &Oauth) -> Result<bool> {
    let (lease, now) = (ids::fresh(), ctx.now());
    let ended = sqlx::query!(
        r#"update identity_grants set lease = $1, leased_until = $3 where id in (
            select id from identity_grants where ended_at is not null and (leased_until is null or leased_until < $2)
            order by ended_at limit $4 for update skip locked)
        returning id, sealed_refresh, ended_at as "ended_at!", ended_why as "ended_why!""#,
        lease,
        now,
        now + LEASE_LASTS,
        PART,
    )
    .fetch_all(&ctx.db)
    .await?;
    let asked = ended.len();
    let mut given_back = Vec::with_capacity(asked);
    for row in ended {
        let token = row.sealed_refresh.map(|sealed| open(&ctx.vault, Which::Refresh, row.id, &sealed));
        let done = match token {
            // Taken back already, none to give, or none that we could read.
            _ if row.ended_why == "refused" => true,
            None | Some(Err(_)) => true,
            Some(Ok(token)) => match oauth.revoke(&token).await {
                Ok(()) | Err(OauthError::Gone) => true,
                Err(error) => {
                    tracing::warn!(grant = %row.id, %error, "a grant could not be given back");
                    now - row.ended_at > GIVEN_BACK_WITHIN
                }
            },
        };
        if done {
            given_back.push(row.id);
        }
    }
    sqlx::query!("delete from identity_grants where id = any($1) and lease = $2", &given_back, lease)
        .execute(&ctx.db)
        .await?;
    Ok(asked > 0 && given_back.len() == asked)
}
