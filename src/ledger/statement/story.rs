//! What lies behind one line of the statement: what it was, why, and under which payment.

use domain::ledger::{LotSource, TransactionKind};
use domain::{Credits, Currency, Money, OrderId, PersonId, Provider, TransactionId};
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::{Error, Result};

/// One movement, told in full.
#[derive(Debug, Clone)]
pub struct Story {
    pub transaction: TransactionId,
    pub kind: TransactionKind,
    pub at: OffsetDateTime,
    pub description: String,
    pub net: Credits,
    pub debt_change: Credits,
    pub balance_after: Credits,
    /// Who did it, as the ledger knows them.
    pub actor: String,
    pub order: Option<OrderId>,
    pub plan_name: Option<String>,
    pub payment: Option<StoryPayment>,
    pub pieces: Vec<Piece>,
}

/// The payment it belongs to.
#[derive(Debug, Clone)]
pub struct StoryPayment {
    pub provider: Provider,
    pub id: String,
    pub amount: Option<Money>,
    pub method: Option<String>,
}

/// How much of which lot it moved.
#[derive(Debug, Clone)]
pub struct Piece {
    pub amount: Credits,
    /// None: it changed what is owed.
    pub source: Option<LotSource>,
    pub lot_since: Option<OffsetDateTime>,
    pub expires_at: Option<OffsetDateTime>,
}

/// Errors: [`Error::NotFound`] for an unknown transaction and for somebody else's alike.
pub async fn story(db: &PgPool, owner: PersonId, id: TransactionId) -> Result<Story> {
    let row = sqlx::query!(
        r#"select t.kind as "kind: TransactionKind", t.created_at, t.description, t.net as "net: Credits",
            t.debt_change as "debt_change: Credits", t.balance_after as "balance_after: Credits", t.actor,
            t.order_id as "order_id: OrderId", o.plan_name as "plan_name?", t.provider as "provider: Provider",
            t.payment_id, p.amount_minor as "amount_minor?", p.currency as "currency?: Currency", p.method as "method?"
        from credit_transactions t
        join credit_accounts wallet on wallet.id = t.account_id and wallet.kind = 'wallet' and wallet.owner_id = $2
        left join credit_orders o on o.id = t.order_id
        left join payments p on p.provider = t.provider and p.payment_id = t.payment_id
        where t.id = $1"#,
        id as TransactionId,
        owner as PersonId,
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::NotFound)?;
    let pieces = sqlx::query!(
        r#"select e.amount as "amount: Credits", l.source as "source?: LotSource", l.created_at as "lot_since?",
            l.expires_at as "expires_at?"
        from credit_entries e left join credit_lots l on l.id = e.lot_id
        where e.transaction_id = $1 order by e.line"#,
        id as TransactionId,
    )
    .fetch_all(db)
    .await?;
    let payment = row.provider.zip(row.payment_id).map(|(provider, id)| StoryPayment {
        provider,
        id,
        amount: row.amount_minor.zip(row.currency).map(|(minor, currency)| Money::new(minor, currency)),
        method: row.method,
    });
    Ok(Story {
        transaction: id,
        kind: row.kind,
        at: row.created_at,
        description: row.description,
        net: row.net,
        debt_change: row.debt_change,
        balance_after: row.balance_after,
        actor: row.actor,
        order: row.order_id,
        plan_name: row.plan_name,
        payment,
        pieces: pieces
            .into_iter()
            .map(|piece| Piece {
                amount: piece.amount,
                source: piece.source,
                lot_since: piece.lot_since,
                expires_at: piece.expires_at,
            })
            .collect(),
    })
}
