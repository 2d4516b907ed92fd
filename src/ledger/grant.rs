//! Adding credits to a wallet.

use domain::ledger::LotSource;
use domain::{Credits, Money, OrderId, PersonId, Provider, TransactionId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{Key, Moved, refusal};
use crate::{Result, ids};

/// A lot of credits to add.
#[derive(Debug, Clone)]
pub struct Grant {
    pub key: Key,
    pub to: PersonId,
    /// From 1 to [`Credits::MAX`].
    pub credits: Credits,
    /// The system account it is booked against: `sales:whop`, `manual`, `promo`.
    pub counter: &'static str,
    pub source: LotSource,
    pub expires_at: Option<OffsetDateTime>,
    pub order: Option<OrderId>,
    /// The payment that paid for it, and how much that was.
    pub paid: Option<(PaymentKey, Money)>,
    /// Who did it: `whop`, `person:<id>`, `system`.
    pub actor: String,
    /// What the owner reads in the statement.
    pub description: String,
}

/// A payment as the `payments` table knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentKey {
    pub provider: Provider,
    pub id: String,
}

/// Adds a lot to the wallet. What the wallet owes is repaid from it first.
///
/// Errors: [`crate::Refusal::KeyUsedForAnotherRequest`].
pub async fn grant(tx: &mut PgConnection, grant: &Grant) -> Result<Moved> {
    let (payment, money) = grant.paid.clone().unzip();
    let (provider, payment) = payment.map(|payment| (payment.provider, payment.id)).unzip();
    let (minor, currency) = money.map(|money| (money.minor, money.currency)).unzip();
    let row = sqlx::query!(
        r#"select transaction_id as "transaction!: TransactionId", replayed as "replayed!", net as "net!: Credits",
            debt_change as "debt_change!: Credits", balance_after as "balance_after!: Credits",
            debt_after as "debt_after!: Credits"
        from credits_grant($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"#,
        ids::fresh(),
        grant.key.scope,
        grant.key.key,
        grant.to as PersonId,
        grant.credits as Credits,
        grant.counter,
        grant.source as LotSource,
        grant.source.priority(),
        grant.expires_at,
        grant.order as Option<OrderId>,
        provider as Option<Provider>,
        payment,
        minor,
        currency as Option<domain::Currency>,
        grant.actor,
        grant.description,
    )
    .fetch_one(tx)
    .await
    .map_err(refusal)?;
    Ok(Moved {
        transaction: row.transaction,
        replayed: row.replayed,
        net: row.net,
        debt_change: row.debt_change,
        balance_after: row.balance_after,
        debt_after: row.debt_after,
    })
}
