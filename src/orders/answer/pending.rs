//! The requests that wait for an answer, as they are shown before one is given.

use domain::{Credits, OrderId};
use sqlx::PgExecutor;
use time::OffsetDateTime;

use crate::Result;
use crate::people::roles::Admin;

/// A request that waits, as it is shown before it is answered.
#[derive(Debug, Clone)]
pub struct Pending {
    pub id: OrderId,
    pub buyer_email: String,
    pub plan_name: String,
    pub credits: Credits,
    /// Given beside them; 0: none.
    pub bonus: Credits,
    pub note: Option<String>,
    pub created_at: OffsetDateTime,
}

/// Those of `orders` that wait for an answer, the longest waiting first.
pub async fn pending(db: impl PgExecutor<'_>, _: &Admin, orders: &[OrderId]) -> Result<Vec<Pending>> {
    Ok(sqlx::query_as!(
        Pending,
        r#"select o.id as "id: OrderId", person.known_as as "buyer_email!", o.plan_name, o.credits as "credits: Credits",
            o.bonus_credits as "bonus: Credits", o.note, o.created_at
        from credit_orders o join user_profiles person on person.id = o.buyer_id
        where o.id = any($1) and o.state = 'requested' order by o.created_at, o.id"#,
        orders as &[OrderId],
    )
    .fetch_all(db)
    .await?)
}
