//! Taking back what a payment granted, and giving it back: after refunds and disputes, and after they are undone.

use domain::{Credits, Provider, TransactionId};
use sqlx::PgConnection;

use super::answer::{self, Answer};
use super::grant::PaymentKey;
use crate::{Refusal, Result, ids};

/// What a payment brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The credits that were paid for.
    Bought,
    /// What was given beside them. What expired of it is not taken again.
    Bonus,
}

/// How a part of a payment's credits is to stand. A level, not a step: only the last one said counts, however often and in whatever
/// order they were said.
#[derive(Debug, Clone)]
pub struct TakeBack {
    pub payment: PaymentKey,
    pub part: Part,
    /// Taken back in all, from 0 to what was granted.
    pub taken: Credits,
    /// Of its unspent credits, this many are held. With `taken` no more than what was granted.
    pub frozen: Credits,
    /// Who did it: `whop`, `admin:<id>`.
    pub actor: String,
    /// What the owner reads in the statement.
    pub description: String,
}

/// What reaching the level changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenBack {
    /// None: nothing was taken or given back. What was frozen may have changed.
    pub transaction: Option<TransactionId>,
    /// It stood like this already.
    pub unchanged: bool,
    /// Change of the wallet's credits.
    pub net: Credits,
    /// Change of what the wallet owes.
    pub debt_change: Credits,
}

/// Brings each payment to its level, in the order given, in one round trip. More taken than before comes from the payment's
/// own lots, then from the wallet's others; the rest is owed. Less gives back: what is owed first.
///
/// A level beyond what the payment granted is [`Refusal::NotBookable`], so is one above zero for a payment that never
/// granted. The wallets are locked by ascending id until the transaction ends.
pub async fn take_back_batch(tx: &mut PgConnection, levels: &[TakeBack]) -> Result<Vec<Result<TakenBack, Refusal>>> {
    if levels.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = levels.iter().map(|_| ids::fresh()).collect();
    let providers: Vec<_> = levels.iter().map(|level| level.payment.provider).collect();
    let payments: Vec<_> = levels.iter().map(|level| level.payment.id.clone()).collect();
    let taken: Vec<_> = levels.iter().map(|level| level.taken).collect();
    let frozen: Vec<_> = levels.iter().map(|level| level.frozen).collect();
    let actors: Vec<_> = levels.iter().map(|level| level.actor.clone()).collect();
    let descriptions: Vec<_> = levels.iter().map(|level| level.description.clone()).collect();
    let bonus: Vec<_> = levels.iter().map(|level| level.part == Part::Bonus).collect();
    let rows = sqlx::query_as!(
        Answer,
        r#"select outcome as "outcome!", transaction_id as "transaction: TransactionId", net as "net: Credits",
            debt_change as "debt_change: Credits", balance_after as "balance_after: Credits", debt_after as "debt_after: Credits"
        from credits_take_back_batch($1, $2, $3, $4, $5, $6, $7, $8) order by place"#,
        &ids,
        &providers as &[Provider],
        &payments,
        &taken as &[Credits],
        &frozen as &[Credits],
        &actors,
        &descriptions,
        &bonus,
    )
    .fetch_all(tx)
    .await?;
    answer::each(rows, levels.len(), |answer, unchanged| {
        Ok(TakenBack {
            transaction: answer.transaction,
            unchanged,
            net: answer.net.unwrap_or_default(),
            debt_change: answer.debt_change.unwrap_or_default(),
        })
    })
}
