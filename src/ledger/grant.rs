//! Adding credits to a wallet.

use domain::ledger::LotSource;
use domain::{Credits, Money, OrderId, PersonId, Provider, TransactionId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::answer::{self, Answer};
use super::{Key, Moved, refusal};
use crate::{Refusal, Result, ids};

/// A lot of credits to add.
#[derive(Debug, Clone)]
pub struct Grant {
    /// What to call the transaction, for who has to know before; none: any fresh id. A repetition gets the first one.
    pub transaction: Option<TransactionId>,
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

impl Grant {
    /// The bonus that comes with it, from 1 to [`Credits::MAX`]: a grant of its own, under the one key that the kernel lets a bonus
    /// have. Without a payment it belongs to the order.
    #[must_use]
    pub fn with_bonus(&self, credits: Credits, expires_at: Option<OffsetDateTime>, description: String) -> Self {
        let key = match (&self.paid, self.order) {
            (Some((payment, _)), _) => Key::new(format!("{}:bonus", payment.provider), payment.id.clone()),
            (None, order) => Key::new("order:bonus", order.map(|order| order.to_string()).unwrap_or_default()),
        };
        Self {
            transaction: None,
            key,
            credits,
            counter: "promo",
            source: LotSource::Bonus,
            expires_at,
            // Nothing was paid for it.
            paid: self.paid.clone().map(|(payment, paid)| (payment, Money::new(0, paid.currency))),
            description,
            ..self.clone()
        }
    }

    fn transaction(&self) -> TransactionId {
        self.transaction.unwrap_or_else(|| TransactionId::from_uuid(ids::fresh()))
    }
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
    sqlx::query_as!(
        Moved,
        r#"select transaction_id as "transaction!: TransactionId", replayed as "replayed!", net as "net!: Credits",
            debt_change as "debt_change!: Credits", balance_after as "balance_after!: Credits",
            debt_after as "debt_after!: Credits"
        from credits_grant($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"#,
        grant.transaction() as TransactionId,
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
    .map_err(refusal)
}

/// Adds many lots in one round trip. Each is carried out or refused by itself, in the order given; several may be for one
/// wallet. Their wallets are locked by ascending id until the transaction ends.
///
/// Errors: only when nothing could be decided; the answer of each grant stands in the list.
pub async fn grant_batch(tx: &mut PgConnection, grants: &[Grant]) -> Result<Vec<Result<Moved, Refusal>>> {
    if grants.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = grants.iter().map(Grant::transaction).collect();
    let scopes: Vec<_> = grants.iter().map(|grant| grant.key.scope.clone()).collect();
    let keys: Vec<_> = grants.iter().map(|grant| grant.key.key.clone()).collect();
    let owners: Vec<_> = grants.iter().map(|grant| grant.to).collect();
    let credits: Vec<_> = grants.iter().map(|grant| grant.credits).collect();
    let counters: Vec<_> = grants.iter().map(|grant| grant.counter.to_owned()).collect();
    let sources: Vec<_> = grants.iter().map(|grant| grant.source).collect();
    let priorities: Vec<_> = grants.iter().map(|grant| grant.source.priority()).collect();
    let expiries: Vec<_> = grants.iter().map(|grant| grant.expires_at).collect();
    let orders: Vec<_> = grants.iter().map(|grant| grant.order).collect();
    let paid = || grants.iter().map(|grant| grant.paid.as_ref());
    let providers: Vec<_> = paid().map(|paid| paid.map(|(payment, _)| payment.provider)).collect();
    let payments: Vec<_> = paid().map(|paid| paid.map(|(payment, _)| payment.id.clone())).collect();
    let minors: Vec<_> = paid().map(|paid| paid.map(|(_, money)| money.minor)).collect();
    let currencies: Vec<_> = paid().map(|paid| paid.map(|(_, money)| money.currency)).collect();
    let actors: Vec<_> = grants.iter().map(|grant| grant.actor.clone()).collect();
    let descriptions: Vec<_> = grants.iter().map(|grant| grant.description.clone()).collect();
    let rows = sqlx::query_as!(
        Answer,
        r#"select outcome as "outcome!", transaction_id as "transaction: TransactionId", net as "net: Credits",
            debt_change as "debt_change: Credits", balance_after as "balance_after: Credits", debt_after as "debt_after: Credits"
        from credits_grant_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) order by place"#,
        &ids as &[TransactionId],
        &scopes,
        &keys,
        &owners as &[PersonId],
        &credits as &[Credits],
        &counters,
        &sources as &[LotSource],
        &priorities,
        &expiries as &[Option<OffsetDateTime>],
        &orders as &[Option<OrderId>],
        &providers as &[Option<Provider>],
        &payments as &[Option<String>],
        &minors as &[Option<i64>],
        &currencies as &[Option<domain::Currency>],
        &actors,
        &descriptions,
    )
    .fetch_all(tx)
    .await?;
    answer::each(rows, grants.len(), answer::moved)
}
