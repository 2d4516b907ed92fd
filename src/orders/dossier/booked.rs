//! What the ledger booked for an order: its grants, and what was taken of them and given back.

use domain::ledger::TransactionKind;
use domain::{Credits, OrderId, TransactionId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::Result;

#[derive(Debug, Clone)]
pub struct Booking {
    pub transaction: TransactionId,
    pub kind: TransactionKind,
    pub description: String,
    pub actor: String,
    pub net: Credits,
    pub debt_change: Credits,
    pub balance_after: Credits,
    pub at: OffsetDateTime,
}

pub(super) async fn bookings(db: &mut PgConnection, order: OrderId) -> Result<Vec<Booking>> {
    Ok(sqlx::query_as!(
        Booking,
        r#"select id as "transaction: TransactionId", kind as "kind: TransactionKind", description, actor,
            net as "net: Credits", debt_change as "debt_change: Credits", balance_after as "balance_after: Credits",
            created_at as at
        from credit_transactions where order_id = $1 order by last_seq"#,
        order as OrderId,
    )
    .fetch_all(db)
    .await?)
}
