//! Moving credits from one wallet to another.

use domain::{Credits, PersonId, TransactionId};
use sqlx::PgConnection;

use super::answer::{self, Answer};
use super::{Key, Moved};
use crate::{Refusal, Result, ids};

/// Credits to move. They keep their expiry and their place in the order of spending.
#[derive(Debug, Clone)]
pub struct Transfer {
    pub key: Key,
    pub from: PersonId,
    /// Somebody else. What they owe is repaid from it at once.
    pub to: PersonId,
    /// From 1 to [`Credits::MAX`].
    pub credits: Credits,
    pub actor: String,
    /// What both owners read in their statements.
    pub description: String,
}

/// Moves in one round trip, each in the order given; the answer is the giver's side. Both wallets are locked by ascending id
/// until the transaction ends.
///
/// Errors: only when nothing could be decided; the answer of each transfer stands in the list.
pub async fn transfer(tx: &mut PgConnection, transfers: &[Transfer]) -> Result<Vec<Result<Moved, Refusal>>> {
    if transfers.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = transfers.iter().map(|_| ids::fresh()).collect();
    let scopes: Vec<_> = transfers.iter().map(|transfer| transfer.key.scope.clone()).collect();
    let keys: Vec<_> = transfers.iter().map(|transfer| transfer.key.key.clone()).collect();
    let from: Vec<_> = transfers.iter().map(|transfer| transfer.from).collect();
    let to: Vec<_> = transfers.iter().map(|transfer| transfer.to).collect();
    let credits: Vec<_> = transfers.iter().map(|transfer| transfer.credits).collect();
    let actors: Vec<_> = transfers.iter().map(|transfer| transfer.actor.clone()).collect();
    let descriptions: Vec<_> = transfers.iter().map(|transfer| transfer.description.clone()).collect();
    let rows = sqlx::query_as!(
        Answer,
        r#"select outcome as "outcome!", transaction_id as "transaction: TransactionId", net as "net: Credits",
            debt_change as "debt_change: Credits", balance_after as "balance_after: Credits", debt_after as "debt_after: Credits"
        from credits_transfer_batch($1, $2, $3, $4, $5, $6, $7, $8) order by place"#,
        &ids,
        &scopes,
        &keys,
        &from as &[PersonId],
        &to as &[PersonId],
        &credits as &[Credits],
        &actors,
        &descriptions,
    )
    .fetch_all(tx)
    .await?;
    answer::each(rows, transfers.len(), answer::moved)
}
