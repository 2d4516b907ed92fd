//! How somebody stands against the rule. At each request by what is known here; when that is old, by asking the provider, once for
//! however many want to know, outside of every transaction.

use std::time::Duration as Wait;

use domain::{PersonId, Provider};
use time::{Duration, OffsetDateTime};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Rule, Standing, take_in};
use crate::events::MembershipFacts;
use crate::people::{Owner, SignedIn};
use crate::providers::{PaymentProvider, ProviderError};
use crate::{Context, Error, Result, ids, tasks};

/// What is older is asked for again before anything is sold by it.
pub const GOOD_FOR: Duration = Duration::hours(1);
/// Longer than asking may take.
const LEASE_LASTS: Duration = Duration::seconds(30);
const LOOK_AGAIN_AFTER: Wait = Wait::from_millis(50);
const WAIT_MAX: Wait = Wait::from_secs(8);

/// By what is known here, however old; for pages. It costs one query, and asks nobody.
pub async fn look(ctx: &Context, person: &Owner) -> Result<Standing> {
    let Some(rule) = &ctx.membership_rule else { return Ok(Standing::NotRequired) };
    Ok(known(ctx, rule, person.id()).await?.standing)
}

/// By what is known and new enough; asks the provider otherwise.
pub async fn check(ctx: &Context, person: &SignedIn) -> Result<Standing> {
    let Some(rule) = &ctx.membership_rule else { return Ok(Standing::NotRequired) };
    let (id, give_up_at) = (person.id(), Instant::now() + WAIT_MAX);
    loop {
        let known = known(ctx, rule, id).await?;
        if known.asked_at.is_some_and(|asked_at| asked_at + GOOD_FOR > ctx.now()) {
            return Ok(known.standing);
        }
        if let Some(lease) = lease(ctx, id).await? {
            let ctx = ctx.clone();
            let asked = tasks::run_to_end(async move { ask(&ctx, id, lease).await }).await;
            if let Err(error) = asked {
                tracing::warn!(error = ?error, "memberships could not be asked for");
                return Ok(Standing::Unknown);
            }
        } else if Instant::now() > give_up_at {
            return Ok(Standing::Unknown);
        } else {
            tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        }
    }
}

struct Known {
    standing: Standing,
    asked_at: Option<OffsetDateTime>,
}

async fn known(ctx: &Context, rule: &Rule, person: PersonId) -> Result<Known> {
    let issuer = ctx.whop_oauth.as_ref().map(|oauth| oauth.issuer().to_owned());
    let row = sqlx::query!(
        r#"select bool_or(m.gives_access) as holds, (select asked_at from membership_asks where person_id = $1) as asked_at
        from memberships m
        where m.provider = $2 and (m.product_id = any($3) or m.plan_id = any($3)) and (
            m.person_id = $1
            or m.person_id is null and m.subject in (select subject from identities where person_id = $1 and issuer = $4))"#,
        person as PersonId,
        Provider::Whop as Provider,
        rule.ids(),
        issuer,
    )
    .fetch_one(&ctx.db)
    .await?;
    let standing = match row.holds {
        Some(true) => Standing::Holds,
        Some(false) => Standing::Ended,
        None => Standing::None,
    };
    Ok(Known { standing, asked_at: row.asked_at })
}

/// None: somebody else is asking, or has just asked.
async fn lease(ctx: &Context, person: PersonId) -> Result<Option<Uuid>> {
    let (lease, now) = (ids::fresh(), ctx.now());
    let leased = sqlx::query!(
        "insert into membership_asks as kept (person_id, lease, leased_until) values ($1, $2, $4)
        on conflict (person_id) do update set lease = $2, leased_until = $4
        where (kept.leased_until is null or kept.leased_until < $3) and (kept.asked_at is null or kept.asked_at <= $5)",
        person as PersonId,
        lease,
        now,
        now + LEASE_LASTS,
        now - GOOD_FOR,
    )
    .execute(&ctx.db)
    .await?;
    Ok((leased.rows_affected() == 1).then_some(lease))
}

/// Asks about all that could be this person's, takes the answers in, and notes that it was asked. Whatever comes of it, the lease
/// is given back.
async fn ask(ctx: &Context, person: PersonId, lease: Uuid) -> Result<()> {
    // What is said from here on may be newer than the answer.
    let asked_at = ctx.now();
    let asked = ask_provider(ctx, person, asked_at).await;
    let mut tx = ctx.db.begin().await?;
    if let Ok(told) = &asked {
        take_in::take_in(&mut tx, Provider::Whop, &told.iter().collect::<Vec<_>>()).await?;
    }
    sqlx::query!(
        "update membership_asks set asked_at = coalesce($3, asked_at), lease = null, leased_until = null
        where person_id = $1 and lease = $2",
        person as PersonId,
        lease,
        asked.is_ok().then_some(asked_at),
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    asked.map(drop)
}

async fn ask_provider(ctx: &Context, person: PersonId, asked_at: OffsetDateTime) -> Result<Vec<MembershipFacts>> {
    let provider = ctx.providers.get(Provider::Whop).ok_or_else(|| Error::unavailable("Whop is not set up"))?;
    let issuer = ctx.whop_oauth.as_ref().map(|oauth| oauth.issuer().to_owned());
    let subjects = sqlx::query_scalar!(
        "select subject from identities where person_id = $1 and issuer = $2",
        person as PersonId,
        issuer,
    )
    .fetch_all(&ctx.db)
    .await?;
    let bound = sqlx::query_scalar!(
        "select id from memberships where provider = $2 and person_id = $1",
        person as PersonId,
        Provider::Whop as Provider,
    )
    .fetch_all(&ctx.db)
    .await?;
    let mut told = Vec::new();
    for subject in subjects {
        told.extend(of_ours(provider, provider.memberships_of(&subject, asked_at).await.map_err(Error::unavailable)?));
    }
    for id in bound {
        match provider.membership(&id, asked_at).await {
            Ok(facts) => told.extend(of_ours(provider, vec![facts])),
            // Gone there: what is known of it stays as it is.
            Err(ProviderError::NotFound) => {}
            Err(error) => return Err(Error::unavailable(error)),
        }
    }
    Ok(told)
}

/// What happened at another account says nothing here.
pub(super) fn of_ours(provider: &dyn PaymentProvider, told: Vec<MembershipFacts>) -> Vec<MembershipFacts> {
    told.into_iter().filter(|facts| facts.account.as_deref() == Some(provider.account())).collect()
}
