//! Taking credits from a wallet.

use domain::{Credits, PersonId, TransactionId};
use sqlx::PgConnection;

use super::answer::{self, Answer};
use super::{Key, Moved, refusal};
use crate::{Refusal, Result, ids};

/// Credits to take.
#[derive(Debug, Clone)]
pub struct Spend {
    pub key: Key,
    pub from: PersonId,
    /// From 1 to [`Credits::MAX`].
    pub credits: Credits,
    /// The system account it is booked against: `consumed:app`.
    pub counter: String,
    pub actor: String,
    /// What the owner reads in the statement.
    pub description: String,
}

/// Takes credits from the wallet's lots in burn order, all or nothing.
///
/// Errors: [`crate::Refusal::NotEnoughCredits`], [`crate::Refusal::CreditsAreOwed`],
/// [`crate::Refusal::KeyUsedForAnotherRequest`]. A refused spend leaves no trace, so that the same key may succeed later.
pub async fn spend(tx: &mut PgConnection, spend: &Spend) -> Result<Moved> {
    sqlx::query_as!(
        Moved,
        r#"select transaction_id as "transaction!: TransactionId", replayed as "replayed!", net as "net!: Credits",
            debt_change as "debt_change!: Credits", balance_after as "balance_after!: Credits",
            debt_after as "debt_after!: Credits"
        from credits_spend($1, $2, $3, $4, $5, $6, $7, $8)"#,
        ids::fresh(),
        spend.key.scope,
        spend.key.key,
        spend.from as PersonId,
        spend.credits as Credits,
        spend.counter,
        spend.actor,
        spend.description,
    )
    .fetch_one(tx)
    .await
    .map_err(refusal)
}

/// Takes many times in one round trip. Each spend is carried out or refused by itself, in the order given; several may be
/// from one wallet. Their wallets are locked by ascending id until the transaction ends.
///
/// Errors: only when nothing could be decided; the answer of each spend stands in the list.
pub async fn spend_batch(tx: &mut PgConnection, spends: &[Spend]) -> Result<Vec<Result<Moved, Refusal>>> {
    if spends.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = spends.iter().map(|_| ids::fresh()).collect();
    let scopes: Vec<_> = spends.iter().map(|spend| spend.key.scope.clone()).collect();
    let keys: Vec<_> = spends.iter().map(|spend| spend.key.key.clone()).collect();
    let owners: Vec<_> = spends.iter().map(|spend| spend.from).collect();
    let credits: Vec<_> = spends.iter().map(|spend| spend.credits).collect();
    let counters: Vec<_> = spends.iter().map(|spend| spend.counter.clone()).collect();
    let actors: Vec<_> = spends.iter().map(|spend| spend.actor.clone()).collect();
    let descriptions: Vec<_> = spends.iter().map(|spend| spend.description.clone()).collect();
    let rows = sqlx::query_as!(
        Answer,
        r#"select outcome as "outcome!", transaction_id as "transaction: TransactionId", net as "net: Credits",
            debt_change as "debt_change: Credits", balance_after as "balance_after: Credits", debt_after as "debt_after: Credits"
        from credits_spend_batch($1, $2, $3, $4, $5, $6, $7, $8) order by place"#,
        &ids,
        &scopes,
        &keys,
        &owners as &[PersonId],
        &credits as &[Credits],
        &counters,
        &actors,
        &descriptions,
    )
    .fetch_all(tx)
    .await?;
    answer::each(rows, spends.len(), answer::moved)
}
