//! Receiving webhooks: many in one transaction, stored together with all that follows from them, or not at all.

use std::collections::{HashMap, HashSet};

use domain::{EventId, OrderId, Provider};
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;

use super::{Content, Fact, MembershipFacts, ReadEvent};
use crate::batcher::isolate;
use crate::jobs::{self, kinds::ReplayEvent};
use crate::memberships::take_in::take_in;
use crate::notify::{News, announce};
use crate::orders::decide::Verdict;
use crate::orders::{channel, settle};
use crate::providers::verify::VerifiedDelivery;
use crate::{Context, Error, Result, ids, tasks};

/// One authentic delivery of one event, read.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub provider: Provider,
    pub verified: VerifiedDelivery,
    pub event: ReadEvent,
}

impl Delivery {
    /// The provider's id of the message, the same each time it is delivered.
    fn id(&self) -> &str {
        self.verified.id()
    }

    fn body_hash(&self) -> Vec<u8> {
        Sha256::digest(self.verified.body()).to_vec()
    }

    fn fact(&self) -> Option<&Fact> {
        match &self.event.content {
            Content::Fact(fact) => Some(fact),
            _ => None,
        }
    }
}

/// What became of a delivery. Each of them is stored for good, so each is answered with 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// The order is up to date with it.
    Applied,
    /// Seen before; nothing was done.
    Duplicate,
    /// Of no concern to us.
    Ignored,
    /// It counts once the payment that it is about is known.
    Waiting,
    /// Authentic, but it doesn't fit: a person has to look. No credits were given for it.
    Quarantined(&'static str),
    /// It failed on our side for a reason that a repetition may heal: kept, and tried again.
    Parked,
}

impl Received {
    /// The state and the reason, as the inbox keeps them.
    pub(super) const fn columns(&self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Applied | Self::Duplicate => ("applied", None),
            Self::Ignored => ("ignored", None),
            Self::Waiting => ("waiting", Some("unknown_payment")),
            Self::Quarantined(reason) => ("quarantined", Some(*reason)),
            Self::Parked => ("parked", Some("failed")),
        }
    }

    fn of(verdict: Verdict) -> (Self, Option<OrderId>) {
        match verdict {
            Verdict::Applied(order) => (Self::Applied, Some(order)),
            Verdict::Waiting => (Self::Waiting, None),
            Verdict::Quarantined(misfit, order) => (Self::Quarantined(misfit.as_str()), order),
        }
    }
}

/// Keeps and applies one delivery, to the end even if the sender hangs up.
///
/// Errors: [`Error::Unavailable`] when it could not be stored; the sender has to send it again.
pub async fn receive(ctx: &Context, delivery: Delivery) -> Result<Received> {
    let ctx = ctx.clone();
    tasks::run_to_end(async move {
        receive_batch(&ctx, vec![delivery])
            .await
            .pop()
            .unwrap_or_else(|| Err(Error::broken("no answer for a delivery")))
    })
    .await
}

/// Keeps and applies deliveries of one provider, all in one transaction; an answer for each, in their order. If the
/// transaction fails for a reason of ours, each goes alone, so that one bad event never keeps others out; what fails alone is
/// parked.
pub async fn receive_batch(ctx: &Context, deliveries: Vec<Delivery>) -> Vec<Result<Received>> {
    let mut answers =
        isolate(
            &deliveries,
            |part| async move { Ok(receive_together(ctx, part).await?.into_iter().map(Ok).collect()) },
        )
        .await;
    for (answer, delivery) in answers.iter_mut().zip(&deliveries) {
        match answer {
            Ok(_) | Err(Error::Unavailable(_)) => {}
            Err(error) => {
                tracing::error!(event.id = delivery.id(), error = ?error, "a webhook could not be applied and is parked");
                *answer = park(ctx, delivery).await;
            }
        }
    }
    answers
}

async fn receive_together(ctx: &Context, deliveries: &[Delivery]) -> Result<Vec<Received>> {
    let mut tx = ctx.db.begin().await?;
    let seen = seen_before(&mut tx, deliveries).await?;
    let mut here = HashSet::new();
    let is_fresh: Vec<bool> =
        deliveries.iter().map(|delivery| !seen.contains_key(delivery.id()) && here.insert(delivery.id())).collect();
    let fresh: Vec<&Delivery> =
        deliveries.iter().zip(&is_fresh).filter_map(|(delivery, fresh)| fresh.then_some(delivery)).collect();
    report_collisions(deliveries, &seen);

    let Outcomes { outcomes, changed } = apply(ctx, &mut tx, &fresh).await?;
    let stored = insert(ctx, &mut tx, &fresh, &outcomes).await?;
    tx.commit().await?;
    channel::tell(ctx, &changed);

    let mut outcomes = outcomes.into_iter();
    let received = deliveries.iter().zip(is_fresh).map(|(delivery, fresh)| {
        match fresh.then(|| outcomes.next()).flatten().filter(|_| stored.contains_key(delivery.id())) {
            Some((received, _)) => received,
            None => Received::Duplicate,
        }
    });
    Ok(received.collect())
}

/// The hashes of the bodies of those that are in the inbox. Only to save work: what two processes receive at the same
/// moment is applied twice, which changes nothing, and stored once.
async fn seen_before(tx: &mut PgConnection, deliveries: &[Delivery]) -> Result<HashMap<String, Vec<u8>>> {
    let Some(first) = deliveries.first() else { return Ok(HashMap::new()) };
    let rows = sqlx::query!(
        "select event_id, body_hash from unnest($2::text[]) as told (id)
        cross join lateral (select * from provider_events where provider = $1 and event_id = told.id offset 0) seen",
        first.provider as Provider,
        &deliveries.iter().map(|delivery| delivery.id().to_owned()).collect::<Vec<_>>(),
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.event_id, row.body_hash)).collect())
}

/// The same id with another body is not a repetition. The first one stands, and somebody should know.
fn report_collisions(deliveries: &[Delivery], seen: &HashMap<String, Vec<u8>>) {
    for delivery in deliveries {
        if seen.get(delivery.id()).is_some_and(|hash| *hash != delivery.body_hash()) {
            tracing::error!(event.id = delivery.id(), "a webhook came again with another body; the first one stands");
        }
    }
}

/// What came of events: of each, and in all.
#[derive(Default)]
pub(super) struct Outcomes {
    /// One for each event, in their order, with the order that it is about.
    pub outcomes: Vec<(Received, Option<OrderId>)>,
    /// Orders that changed, to be told once it is committed.
    pub changed: Vec<OrderId>,
}

/// Applies what events of one provider say; also for replays.
async fn apply(ctx: &Context, tx: &mut PgConnection, fresh: &[&Delivery]) -> Result<Outcomes> {
    let contents: Vec<&Content> = fresh.iter().map(|delivery| &delivery.event.content).collect();
    let Some(first) = fresh.first() else { return Ok(Outcomes::default()) };
    apply_contents(ctx, tx, first.provider, &contents).await
}

pub(super) async fn apply_contents(
    ctx: &Context,
    tx: &mut PgConnection,
    provider: Provider,
    contents: &[&Content],
) -> Result<Outcomes> {
    let adapter =
        ctx.providers.get(provider).ok_or_else(|| Error::broken("an event of a provider that is not set up"))?;
    let facts: Vec<&Fact> = contents
        .iter()
        .filter_map(|content| match content {
            Content::Fact(fact) => Some(fact),
            _ => None,
        })
        .collect();
    let memberships: Vec<&MembershipFacts> = contents
        .iter()
        .filter_map(|content| match content {
            Content::Membership(facts) if facts.account.as_deref() == Some(adapter.account()) => Some(facts),
            _ => None,
        })
        .collect();
    take_in(tx, provider, &memberships).await?;
    let settled = settle::settle(ctx, tx, provider, adapter.account(), &facts).await?;
    let mut verdicts = settled.verdicts.into_iter();
    let outcomes = contents.iter().map(|content| match content {
        Content::Fact(_) => verdicts.next().map_or((Received::Parked, None), Received::of),
        Content::Membership(facts) if facts.account.as_deref() == Some(adapter.account()) => (Received::Applied, None),
        Content::Membership(_) => (Received::Quarantined("foreign_account"), None),
        Content::Other => (Received::Ignored, None),
        Content::Unreadable(reason) => (Received::Quarantined(reason), None),
    });
    Ok(Outcomes { outcomes: outcomes.collect(), changed: settled.changed })
}

/// Stores the events with their verdicts; those that were not there yet, with our ids for them.
async fn insert(
    ctx: &Context,
    tx: &mut PgConnection,
    deliveries: &[&Delivery],
    outcomes: &[(Received, Option<OrderId>)],
) -> Result<HashMap<String, EventId>> {
    let Some(first) = deliveries.first() else { return Ok(HashMap::new()) };
    let texts = |of: &dyn Fn(&Delivery) -> String| deliveries.iter().map(|delivery| of(delivery)).collect::<Vec<_>>();
    let states: Vec<_> = outcomes.iter().map(|(received, _)| received.columns()).collect();
    let stored = sqlx::query!(
        r#"insert into provider_events (id, provider, event_id, kind, object_id, payment_id, state, reason, order_id, body,
            body_hash, secret, signed_at, decided_at)
        select id, $1, event_id, kind, object_id, payment_id, state, reason, order_id, body, body_hash, secret,
            to_timestamp(signed), $14
        from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::uuid[],
            $10::bytea[], $11::bytea[], $12::text[], $13::bigint[])
            as told (id, event_id, kind, object_id, payment_id, state, reason, order_id, body, body_hash, secret, signed)
        on conflict on constraint provider_events_once do nothing
        returning event_id, id as "id: EventId""#,
        first.provider as Provider,
        &deliveries.iter().map(|_| EventId::from_uuid(ids::fresh())).collect::<Vec<_>>() as &[EventId],
        &texts(&|delivery| delivery.id().to_owned()),
        &texts(&|delivery| delivery.event.kind.clone()),
        &deliveries.iter().map(|delivery| delivery.event.object_id.clone()).collect::<Vec<_>>() as &[Option<String>],
        &deliveries.iter().map(|delivery| delivery.fact().map(|fact| fact.payment_id().to_owned())).collect::<Vec<_>>()
            as &[Option<String>],
        &states.iter().map(|(state, _)| (*state).to_owned()).collect::<Vec<_>>(),
        &states.iter().map(|(_, reason)| reason.map(ToOwned::to_owned)).collect::<Vec<_>>() as &[Option<String>],
        &outcomes.iter().map(|(_, order)| *order).collect::<Vec<_>>() as &[Option<OrderId>],
        &deliveries.iter().map(|delivery| delivery.verified.body().to_vec()).collect::<Vec<_>>(),
        &deliveries.iter().map(|delivery| delivery.body_hash()).collect::<Vec<_>>(),
        &texts(&|delivery| delivery.verified.secret_used().as_str().to_owned()),
        &deliveries.iter().map(|delivery| delivery.verified.timestamp()).collect::<Vec<_>>(),
        ctx.now(),
    )
    .fetch_all(&mut *tx)
    .await?;
    let stored: HashMap<String, EventId> = stored.into_iter().map(|row| (row.event_id, row.id)).collect();
    let mut news = Vec::new();
    for (delivery, (received, _)) in deliveries.iter().zip(outcomes) {
        if let (Received::Quarantined(reason), Some(event)) = (received, stored.get(delivery.id())) {
            tracing::error!(event.id = delivery.id(), event.kind = delivery.event.kind, reason, "webhook quarantined");
            news.push(News::Quarantined { event: *event });
        }
    }
    announce(ctx, tx, &news).await?;
    Ok(stored)
}

/// Keeps an event that can't be applied, so that it is tried again, and a person can look.
async fn park(ctx: &Context, delivery: &Delivery) -> Result<Received> {
    let mut tx = ctx.db.begin().await?;
    let stored = insert(ctx, &mut tx, &[delivery], &[(Received::Parked, None)]).await?;
    for event in stored.into_values() {
        jobs::enqueue(&mut tx, &ReplayEvent { event }).await?;
    }
    tx.commit().await?;
    Ok(Received::Parked)
}
