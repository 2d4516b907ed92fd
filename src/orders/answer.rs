//! Answering requests: approved, their credits are in the wallet at once; declined, the buyer reads why. However many are
//! answered, it is one transaction; whoever was second learns what the first one said.

use domain::ledger::LotSource;
use domain::{Credits, OrderId, OrderState, PersonId};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

use super::channel;
use crate::audit::{self, About, By, Change, Origin, Reason, What};
use crate::ledger::Key;
use crate::ledger::grant::{Grant, grant_batch};
use crate::notify::{News, announce};
use crate::people::fresh::Fresh;
use crate::people::roles::Admin;
use crate::{Context, Error, Refusal, Result};

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
    /// Somebody was faster, or it is no request: it stays as it was.
    WasNot(OrderState),
}

struct Waiting {
    id: OrderId,
    buyer: PersonId,
    plan_name: String,
    asked: Credits,
}

/// Answers requests alike, at most [`AT_ONCE_MAX`]. Those that do not wait for an answer (any more) are passed over and
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
    let (waiting, outcomes) = lock(&mut tx, orders).await?;
    if !waiting.is_empty() {
        if let Answer::Approve { credits } = answer {
            grant(&mut tx, admin, &waiting, credits).await?;
        }
        write(ctx, &mut tx, admin, &waiting, answer, reason).await?;
        announce(ctx, &mut tx, &waiting.iter().map(|order| news(order.id, answer)).collect::<Vec<_>>()).await?;
        let by = admin.by(origin);
        let deeds: Vec<_> = waiting.iter().map(|order| deed(&by, order, answer, reason)).collect();
        audit::record_all(&mut tx, &deeds).await?;
    }
    tx.commit().await?;
    channel::tell(ctx, &waiting.iter().map(|order| order.id).collect::<Vec<_>>());
    Ok(outcomes)
}

async fn lock(tx: &mut PgConnection, orders: &[OrderId]) -> Result<(Vec<Waiting>, Vec<(OrderId, Outcome)>)> {
    let rows = sqlx::query!(
        r#"select id as "id: OrderId", buyer_id as "buyer: PersonId", plan_name, credits as "credits: Credits",
            state as "state: OrderState"
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
            waiting.push(Waiting { id: row.id, buyer: row.buyer, plan_name: row.plan_name, asked: row.credits });
        } else {
            outcomes.push((row.id, Outcome::WasNot(row.state)));
        }
    }
    Ok((waiting, outcomes))
}

async fn grant(tx: &mut PgConnection, admin: &Admin, waiting: &[Waiting], credits: Option<Credits>) -> Result<()> {
    let grants: Vec<Grant> = waiting
        .iter()
        .map(|order| Grant {
            transaction: None,
            key: Key::new("order", order.id.to_string()),
            to: order.buyer,
            credits: credits.unwrap_or(order.asked),
            counter: "manual",
            source: LotSource::Manual,
            expires_at: None,
            order: Some(order.id),
            paid: None,
            actor: format!("admin:{}", admin.person().id()),
            description: order.plan_name.clone(),
        })
        .collect();
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
    admin: &Admin,
    waiting: &[Waiting],
    answer: Answer,
    reason: &Reason,
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
        admin.person().id() as PersonId,
        reason.as_str(),
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
            by.did(What::RequestApproved, about).with(Change::none().from_to("credits", order.asked.get(), given))
        }
        Answer::Reject => by.did(What::RequestRejected, about),
    };
    deed.because(reason.as_str())
}

/// A request that waits, as it is shown before it is answered.
#[derive(Debug, Clone)]
pub struct Pending {
    pub id: OrderId,
    pub buyer_email: String,
    pub plan_name: String,
    pub credits: Credits,
    pub note: Option<String>,
    pub created_at: OffsetDateTime,
}

/// Those of `orders` that wait for an answer, the longest waiting first.
pub async fn pending(db: impl PgExecutor<'_>, _: &Admin, orders: &[OrderId]) -> Result<Vec<Pending>> {
    Ok(sqlx::query_as!(
        Pending,
        r#"select o.id as "id: OrderId", person.known_as as "buyer_email!", o.plan_name, o.credits as "credits: Credits", o.note,
            o.created_at
        from credit_orders o join user_profiles person on person.id = o.buyer_id
        where o.id = any($1) and o.state = 'requested' order by o.created_at, o.id"#,
        orders as &[OrderId],
    )
    .fetch_all(db)
    .await?)
}
