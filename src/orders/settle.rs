//! Bringing orders up to date with what a provider says: one path for webhooks, for asking the provider, and for
//! replays. Load, decide, write are three steps, each of them once for many facts.

pub mod ask;
mod load;
mod write;

use domain::{OrderId, Provider, TransactionId};
use sqlx::PgConnection;

use super::decide::{self, Verdict};
use crate::events::Fact;
use crate::{Context, Result, ids};

/// What came of facts that were taken in.
#[derive(Debug, Default)]
pub struct Settled {
    /// One for each fact, in their order.
    pub verdicts: Vec<Verdict>,
    /// To be told with [`super::channel::tell`] once it is committed.
    pub changed: Vec<OrderId>,
}

/// Takes facts of one provider in, in the caller's transaction. Doing it again changes nothing.
///
/// Locks what the facts touch, always in the same order: payments, orders, wallets, each by id.
pub async fn settle(
    ctx: &Context,
    tx: &mut PgConnection,
    provider: Provider,
    our_account: &str,
    facts: &[&Fact],
) -> Result<Settled> {
    if facts.is_empty() {
        return Ok(Settled::default());
    }
    let mut books = load::load(ctx, tx, provider, facts).await?;
    let fresh = || TransactionId::from_uuid(ids::fresh());
    let mut verdicts: Vec<Verdict> =
        facts.iter().map(|fact| decide::learn(&mut books, fact, our_account, fresh())).collect();
    // What waited for a payment that came later in the same batch waits no more.
    for (verdict, fact) in verdicts.iter_mut().zip(facts) {
        if let (Verdict::Waiting, Some(payment)) = (*verdict, books.payments.get(fact.payment_id())) {
            *verdict = Verdict::Applied(payment.order);
        }
    }
    write::write(ctx, tx, &books).await?;
    Ok(Settled { verdicts, changed: books.changed.orders.into_iter().collect() })
}
