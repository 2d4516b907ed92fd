//! Lists of orders: the buyer's unfinished ones, and all of them for the command line.

use domain::{Credits, Currency, OrderId, OrderState, PersonId, Price, Provider};
use sqlx::PgExecutor;
use time::OffsetDateTime;

use crate::people::Owner;
use crate::people::roles::Support;
use crate::{Result, plans};

/// One order in a list.
#[derive(Debug, Clone)]
pub struct Listed {
    pub id: OrderId,
    pub buyer: PersonId,
    /// What they are known as: their address, mostly.
    pub buyer_email: String,
    pub plan_name: String,
    pub credits: Credits,
    pub price: Price,
    pub provider: Provider,
    pub state: OrderState,
    pub created_at: OffsetDateTime,
    /// When the credits were given, or an admin said no.
    pub settled_at: Option<OffsetDateTime>,
}

const UNFINISHED_MAX: i64 = 5;
const OPEN_MAX: i64 = 20;

/// A row of any list: the columns of an order as they are stored.
pub(super) struct Row {
    pub id: OrderId,
    pub buyer: PersonId,
    pub email: String,
    pub plan_name: String,
    pub credits: Credits,
    pub price_minor: Option<i64>,
    pub currency: Option<Currency>,
    pub provider: Provider,
    pub state: OrderState,
    pub created_at: OffsetDateTime,
    pub settled_at: Option<OffsetDateTime>,
}

/// The buyer's orders that still wait for something, newest first, at most five. Checkouts that were merely opened are
/// left out: most of them are changes of mind. Uses the index `credit_orders_buyer`.
pub async fn unfinished(db: impl PgExecutor<'_>, buyer: &Owner) -> Result<Vec<Listed>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select o.id as "id: OrderId", o.buyer_id as "buyer: PersonId", person.known_as as "email!", o.plan_name,
            o.credits as "credits: Credits", o.price_minor, o.currency as "currency: Currency",
            o.provider as "provider: Provider", o.state as "state: OrderState", o.created_at, o.settled_at
        from credit_orders o join user_profiles person on person.id = o.buyer_id
        where o.buyer_id = $1 and o.state in ('processing', 'under_review', 'requested')
        order by o.created_at desc, o.id desc limit $2"#,
        buyer.id() as PersonId,
        UNFINISHED_MAX,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Listed::from).collect())
}

/// The buyer's newest orders. Uses the index `credit_orders_buyer`.
pub async fn of_buyer(db: impl PgExecutor<'_>, _: &Support, buyer: PersonId, limit: i64) -> Result<Vec<Listed>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select o.id as "id: OrderId", o.buyer_id as "buyer: PersonId", person.known_as as "email!", o.plan_name,
            coalesce(o.granted_credits, o.credits) as "credits!: Credits", o.price_minor,
            o.currency as "currency: Currency", o.provider as "provider: Provider", o.state as "state: OrderState",
            o.created_at, o.settled_at
        from credit_orders o join user_profiles person on person.id = o.buyer_id
        where o.buyer_id = $1 order by o.created_at desc, o.id desc limit $2"#,
        buyer as PersonId,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Listed::from).collect())
}

/// The buyer's orders that are not decided yet, opened checkouts among them, newest first. Uses the index `credit_orders_buyer`.
pub async fn open_of_buyer(db: impl PgExecutor<'_>, _: &Support, buyer: PersonId) -> Result<Vec<Listed>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select o.id as "id: OrderId", o.buyer_id as "buyer: PersonId", person.known_as as "email!", o.plan_name,
            o.credits as "credits: Credits", o.price_minor, o.currency as "currency: Currency",
            o.provider as "provider: Provider", o.state as "state: OrderState", o.created_at, o.settled_at
        from credit_orders o join user_profiles person on person.id = o.buyer_id
        where o.buyer_id = $1 and o.state in ('created', 'opened', 'processing', 'under_review', 'requested')
        order by o.created_at desc, o.id desc limit $2"#,
        buyer as PersonId,
        OPEN_MAX,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Listed::from).collect())
}

/// Every order, newest first.
pub async fn newest(db: impl PgExecutor<'_>, limit: i64) -> Result<Vec<Listed>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select o.id as "id: OrderId", o.buyer_id as "buyer: PersonId", person.known_as as "email!", o.plan_name,
            o.credits as "credits: Credits", o.price_minor, o.currency as "currency: Currency",
            o.provider as "provider: Provider", o.state as "state: OrderState", o.created_at, o.settled_at
        from credit_orders o join user_profiles person on person.id = o.buyer_id
        order by o.created_at desc, o.id desc limit $1"#,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Listed::from).collect())
}

impl From<Row> for Listed {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            buyer: row.buyer,
            buyer_email: row.email,
            plan_name: row.plan_name,
            credits: row.credits,
            price: plans::catalogue::price(row.price_minor, row.currency),
            provider: row.provider,
            state: row.state,
            created_at: row.created_at,
            settled_at: row.settled_at,
        }
    }
}
