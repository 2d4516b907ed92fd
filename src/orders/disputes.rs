//! Disputes as those see them who have to answer: open ones by their deadline, then how the others ended.

use domain::{Currency, DisputeState, Money, OrderId};
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::Result;
use crate::people::roles::Support;

const OPEN_MAX: i64 = 200;
const DECIDED_MAX: i64 = 50;

/// One dispute.
#[derive(Debug, Clone)]
pub struct Listed {
    pub id: String,
    pub order: OrderId,
    pub buyer_email: String,
    /// What is disputed: by its own word, or all that was charged.
    pub amount: Option<Money>,
    pub state: DisputeState,
    /// Until when evidence can be sent.
    pub respond_by: Option<OffsetDateTime>,
    /// When it was last heard of.
    pub changed_at: OffsetDateTime,
}

/// A row of both queries.
struct Row {
    id: String,
    order: OrderId,
    buyer_email: String,
    amount_minor: Option<i64>,
    currency: Option<Currency>,
    state: DisputeState,
    respond_by: Option<OffsetDateTime>,
    changed_at: OffsetDateTime,
}

impl From<Row> for Listed {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            order: row.order,
            buyer_email: row.buyer_email,
            amount: row.amount_minor.zip(row.currency).map(|(minor, currency)| Money::new(minor, currency)),
            state: row.state,
            respond_by: row.respond_by,
            changed_at: row.changed_at,
        }
    }
}

/// Those that are not decided yet, the next deadline first. One whose payment is not known yet shows among the events.
pub async fn open(db: &PgPool, _: &Support) -> Result<Vec<Listed>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select d.dispute_id as id, o.id as "order: OrderId", person.known_as as "buyer_email!",
            coalesce(d.amount_minor, p.charged_minor, p.amount_minor) as amount_minor,
            coalesce(d.currency, p.currency) as "currency: Currency", d.state as "state: DisputeState", d.respond_by,
            d.changed_at
        from disputes d
        join payments p using (provider, payment_id)
        join credit_orders o on o.id = p.order_id
        join user_profiles person on person.id = o.buyer_id
        where d.state in ('inquiry', 'open') order by d.respond_by, d.dispute_id limit $1"#,
        OPEN_MAX,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Listed::from).collect())
}

/// Those that ended, the latest first.
pub async fn decided(db: &PgPool, _: &Support) -> Result<Vec<Listed>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select d.dispute_id as id, o.id as "order: OrderId", person.known_as as "buyer_email!",
            coalesce(d.amount_minor, p.charged_minor, p.amount_minor) as amount_minor,
            coalesce(d.currency, p.currency) as "currency: Currency", d.state as "state: DisputeState", d.respond_by,
            d.changed_at
        from disputes d
        join payments p using (provider, payment_id)
        join credit_orders o on o.id = p.order_id
        join user_profiles person on person.id = o.buyer_id
        where d.state not in ('inquiry', 'open') order by d.changed_at desc, d.dispute_id limit $1"#,
        DECIDED_MAX,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Listed::from).collect())
}
