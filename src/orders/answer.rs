//! Answering requests: approved, their credits are in the wallet at once; declined, the buyer reads why. However many are
//! answered, it is one transaction; whoever was second learns what the first one said.

mod pending;

use domain::ledger::LotSource;
use domain::{Credits, OrderId, OrderState, PersonId};
use sqlx::PgConnection;
use time::Duration;

pub use self::pending::{Pending, pending};
use super::channel;
use crate::audit::{self, About, By, Change, Origin, Reason, What};
use crate::ledger::Key;
use crate::ledger::grant::{Grant, grant_batch};
use crate::notify::{News, announce};
use crate::people::fresh::Fresh;
use crate::people::roles::Admin;
use crate::plans::Bonus;
use crate::{Context, Error, Refusal, Result, approvals, ids};

/// Answered in one go, at most.
pub const AT_ONCE_MAX: usize = 50;

/// What is said to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// With as many credits as were asked for, or with other ones, from 1 to [`Credits::MAX`].
    Approve {
        credits: Option<Credits>,
    },
    Reject,
}

/// What became of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Answered,
    /// It is more than one admin may give alone, so that it waits for another one.
    WaitsForSecond,
    /// Somebody was faster, or it is no request: it stays as it was.
    WasNot(OrderState),
}

struct Waiting {
    id: OrderId,
    buyer: PersonId,
    plan_name: String,
    asked: Credits,
    expires_after_days: Option<i32>,
    bonus: Option<Bonus>,
}

impl Waiting {
    /// What an approval gives: as many credits as were asked for or other ones, and the bonus as it was offered.
    fn gives(&self, corrected: Option<Credits>) -> Credits {
        let bonus = self.bonus.map_or(0, |bonus| bonus.credits.get());
        Credits::new(corrected.unwrap_or(self.asked).get().saturating_add(bonus))
    }

    /// What whoever confirms reads beside the credits.
    fn described(&self) -> String {
        match self.bonus {
            Some(bonus) => format!("{} and {} bonus credits", self.plan_name, bonus.credits),
            None => self.plan_name.clone(),
        }
    }
}

/// An approval that a second admin confirmed.
#[derive(Debug, Clone, Copy)]
pub struct Confirmed<'a> {
    pub credits: Credits,
    /// Who approved it first.
    pub by: PersonId,
    pub reason: &'a str,
}

/// Answers requests alike, at most [`AT_ONCE_MAX`]. What gives more than [`approvals::CREDITS_ALONE_MAX`] is put up for another
/// admin ([`crate::by_hand::confirm`]). Those that do not wait for an answer (any more) are passed over and
/// told in the outcome; ids that are unknown are left out of it.
///
/// Locks orders, then wallets, each by ascending id.
///
/// Errors: [`Refusal::TooManyAtOnce`]; nothing was answered then.
pub async fn answer(
    ctx: &Context,
    admin: &Admin,
    _: &Fresh,
    origin: &Origin,
    orders: &[OrderId],
    answer: Answer,
    reason: &Reason,
) -> Result<Vec<(OrderId, Outcome)>> {
    if orders.len() > AT_ONCE_MAX {
        return Err(Refusal::TooManyAtOnce.into());
    }
    let mut tx = ctx.db.begin().await?;
    let (waiting, mut outcomes) = lock(&mut tx, orders).await?;
    let (large, waiting): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|order| takes_two(order, answer));
    let by = admin.by(origin);
    if !waiting.is_empty() {
        let id = admin.person().id();
        if let Answer::Approve { credits } = answer {
            grant(ctx, &mut tx, id, &waiting, credits).await?;
        }
        write(ctx, &mut tx, id, &waiting, answer, reason.as_str()).await?;
        announce(ctx, &mut tx, &waiting.iter().map(|order| news(order.id, answer)).collect::<Vec<_>>()).await?;
    }
    if !large.is_empty() {
        put_up(ctx, &mut tx, admin, &large, answer, reason).await?;
        for (id, outcome) in &mut outcomes {
            if large.iter().any(|order| order.id == *id) {
                *outcome = Outcome::WaitsForSecond;
            }
        }
    }
    let deeds: Vec<_> = waiting
        .iter()
        .map(|order| deed(&by, order, answer, reason))
        .chain(large.iter().map(|order| asked(&by, order, answer, reason)))
        .collect();
    if !deeds.is_empty() {
        audit::record_all(&mut tx, &deeds).await?;
    }
    tx.commit().await?;
    channel::tell(ctx, &waiting.iter().map(|order| order.id).collect::<Vec<_>>());
    Ok(outcomes)
}

/// Approves a request that a second admin confirmed, in the caller's transaction.
///
/// Errors: [`Refusal::DecidedMeanwhile`] when it does not wait any more.
pub async fn approve_confirmed(
    ctx: &Context,
    tx: &mut PgConnection,
    order: OrderId,
    said: &Confirmed<'_>,
) -> Result<()> {
    let (waiting, _) = lock(tx, &[order]).await?;
    if waiting.is_empty() {
        return Err(Refusal::DecidedMeanwhile.into());
    }
    let answer = Answer::Approve { credits: Some(said.credits) };
    grant(ctx, tx, said.by, &waiting, Some(said.credits)).await?;
    write(ctx, tx, said.by, &waiting, answer, said.reason).await?;
    announce(ctx, tx, &[news(order, answer)]).await
}

fn takes_two(order: &Waiting, answer: Answer) -> bool {
    match answer {
        Answer::Approve { credits } => approvals::credits_take_two(order.gives(credits)),
        Answer::Reject => false,
    }
}

/// One that waits for the second admin already stays as it is.
async fn put_up(
    ctx: &Context,
    tx: &mut PgConnection,
    admin: &Admin,
    large: &[Waiting],
    answer: Answer,
    reason: &Reason,
) -> Result<()> {
    let corrected = if let Answer::Approve { credits } = answer { credits } else { None };
    sqlx::query!(
        "insert into credit_deeds (id, key, kind, person_id, order_id, credits, description, reason, asked_by, takes_two, state,
            created_at, changed_at)
        select id, 'approve-' || id, 'approve', person, order_id, credits, description, $6, $7, true, 'waiting', $8, $8
        from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[])
            as large (id, person, order_id, credits, description)
        on conflict (order_id) where kind = 'approve' and state = 'waiting' do nothing",
        &large.iter().map(|_| ids::fresh()).collect::<Vec<_>>(),
        &large.iter().map(|order| order.buyer).collect::<Vec<_>>() as &[PersonId],
        &large.iter().map(|order| order.id).collect::<Vec<_>>() as &[OrderId],
        &large.iter().map(|order| corrected.unwrap_or(order.asked)).collect::<Vec<_>>() as &[Credits],
        &large.iter().map(Waiting::described).collect::<Vec<_>>(),
        reason.as_str(),
        admin.person().id() as PersonId,
        ctx.now(),
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn lock(tx: &mut PgConnection, orders: &[OrderId]) -> Result<(Vec<Waiting>, Vec<(OrderId, Outcome)>)> {
    let rows = sqlx::query!(
        r#"select id as "id: OrderId", buyer_id as "buyer: PersonId", plan_name, credits as "credits: Credits", expires_after_days,
            bonus_credits as "bonus_credits: Credits", bonus_expires_after_days, state as "state: OrderState"
        from credit_orders where id = any($1) order by id for update"#,
        orders as &[OrderId],
    )
    .fetch_all(tx)
    .await?;
    let mut waiting = Vec::new();
    let mut outcomes = Vec::new();
    for row in rows {
        if row.state == OrderState::Requested {
            outcomes.push((row.id, Outcome::Answered));
            waiting.push(Waiting {
                id: row.id,
                buyer: row.buyer,
                plan_name: row.plan_name,
                asked: row.credits,
                expires_after_days: row.expires_after_days,
                bonus: Bonus::stored(row.bonus_credits, row.bonus_expires_after_days),
            });
        } else {
            outcomes.push((row.id, Outcome::WasNot(row.state)));
        }
    }
    Ok((waiting, outcomes))
}

async fn grant(
    ctx: &Context,
    tx: &mut PgConnection,
    by: PersonId,
    waiting: &[Waiting],
    credits: Option<Credits>,
) -> Result<()> {
    let ends = |days: Option<i32>| days.map(|days| ctx.now() + Duration::days(days.into()));
    let mut grants = Vec::new();
    for order in waiting {
        let grant = Grant {
            transaction: None,
            key: Key::new("order", order.id.to_string()),
            to: order.buyer,
            credits: credits.unwrap_or(order.asked),
            counter: "manual",
            source: LotSource::Manual,
            expires_at: ends(order.expires_after_days),
            order: Some(order.id),
            paid: None,
            actor: format!("admin:{by}"),
            description: order.plan_name.clone(),
        };
        let bonus = order.bonus.map(|bonus| {
            let ends_at = ends(bonus.ends_after_days(order.expires_after_days));
            grant.with_bonus(bonus.credits, ends_at, format!("Bonus of {}", order.plan_name))
        });
        grants.push(grant);
        grants.extend(bonus);
    }
    for moved in grant_batch(tx, &grants).await? {
        // A request that waits was never granted, so its key is fresh.
        if moved.map_err(Error::broken)?.replayed {
            return Err(Error::broken("a request that waited had its credits already"));
        }
    }
    Ok(())
}

async fn write(
    ctx: &Context,
    tx: &mut PgConnection,
    by: PersonId,
    waiting: &[Waiting],
    answer: Answer,
    reason: &str,
) -> Result<()> {
    let (state, corrected) = match answer {
        Answer::Approve { credits } => (OrderState::Approved, credits),
        Answer::Reject => (OrderState::Rejected, None),
    };
    sqlx::query!(
        "update credit_orders set state = $2, answered_by = $3, answer_reason = $4,
            granted_credits = case when $2 = 'approved' then coalesce($5, credits) end, settled_at = $6, changed_at = $6
        where id = any($1)",
        &waiting.iter().map(|order| order.id).collect::<Vec<_>>() as &[OrderId],
        state as OrderState,
        by as PersonId,
        reason,
        corrected as Option<Credits>,
        ctx.now(),
    )
    .execute(tx)
    .await?;
    Ok(())
}

const fn news(order: OrderId, answer: Answer) -> News {
    match answer {
        Answer::Approve { .. } => News::RequestApproved { order },
        Answer::Reject => News::RequestRejected { order },
    }
}

fn deed<'a>(by: &'a By<'_>, order: &Waiting, answer: Answer, reason: &'a Reason) -> audit::Deed<'a> {
    let about = About::Order(order.id);
    let deed = match answer {
        Answer::Approve { credits } => {
            let given = credits.unwrap_or(order.asked).get();
            let change = Change::none().from_to("credits", order.asked.get(), given);
            by.did(What::RequestApproved, about).with(with_bonus(change, order))
        }
        Answer::Reject => by.did(What::RequestRejected, about),
    };
    deed.because(reason.as_str())
}

fn asked<'a>(by: &'a By<'_>, order: &Waiting, answer: Answer, reason: &'a Reason) -> audit::Deed<'a> {
    let credits = if let Answer::Approve { credits: Some(credits) } = answer { credits } else { order.asked };
    let change = Change::none().noted("kind", "approve").noted("credits", credits.get());
    by.did(What::CreditsAsked, About::Order(order.id)).with(with_bonus(change, order)).because(reason.as_str())
}

fn with_bonus(change: Change, order: &Waiting) -> Change {
    match order.bonus {
        Some(bonus) => change.noted("bonus_credits", bonus.credits.get()),
        None => change,
    }
}
