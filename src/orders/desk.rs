//! Orders as those who look after them see them: all of everybody's, filtered, searched, a page at a time.

use domain::{Credits, Currency, OrderId, OrderState, PersonId, Provider};
use sqlx::PgExecutor;
use time::OffsetDateTime;

use super::list::{Listed, Row};
use crate::Result;
use crate::people::roles::Support;

pub const PAGE_ORDERS: usize = 50;
/// People whose address begins with what was searched for, at most.
const PEOPLE_MAX: i64 = 100;

/// Which orders to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// None: in any state.
    pub state: Option<OrderState>,
    pub search: Search,
}

/// What was searched for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Search {
    #[default]
    Everything,
    Order(OrderId),
    /// A provider's id: of a payment, a checkout or a refund.
    ProviderId(String),
    /// How a buyer's address begins, in lower case.
    Email(String),
}

impl Search {
    /// What somebody typed or pasted. A provider's ids have a prefix and an underscore (Whop API, identifiers).
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::Everything;
        }
        if let Ok(order) = text.parse() {
            return Self::Order(order);
        }
        let (prefix, _) = text.split_once('_').unwrap_or_default();
        if ["pay", "ch", "rf", "ref", "dspt", "dp"].contains(&prefix) {
            return Self::ProviderId(text.to_owned());
        }
        Self::Email(text.to_lowercase())
    }
}

/// Where the next page begins: after this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct After {
    pub created_at: OffsetDateTime,
    pub id: OrderId,
}

#[derive(Debug, Clone)]
pub struct Page {
    pub orders: Vec<Listed>,
    /// None at the end.
    pub older: Option<After>,
}

/// A page of orders, newest first.
pub async fn page(db: impl PgExecutor<'_>, _: &Support, wanted: &Wanted, after: Option<After>) -> Result<Page> {
    let (order, provider_id, email) = match &wanted.search {
        Search::Everything => (None, None, None),
        Search::Order(order) => (Some(*order), None, None),
        Search::ProviderId(id) => (None, Some(id.as_str()), None),
        Search::Email(email) => (None, None, Some(email.as_str())),
    };
    // A search names a few orders by an index of its own; only without one is the whole list walked.
    let rows = sqlx::query_as!(
        Row,
        r#"with searched as materialized (
            select id from credit_orders where id = $3
            union select id from credit_orders where $4::text is not null and checkout_id = $4
            union select order_id from payments where $4::text is not null and payment_id = $4
            union select p.order_id from refunds r join payments p using (provider, payment_id)
                where $4::text is not null and r.refund_id = $4
            union select p.order_id from disputes d join payments p using (provider, payment_id)
                where $4::text is not null and d.dispute_id = $4
            union select o.id from credit_orders o
                where o.buyer_id in (
                    select person.id from user_profiles person
                    where person.email >= $5 and person.email < $5 || chr(1114111)
                    order by person.email limit $6
                )
        )
        select o.id as "id: OrderId", o.buyer_id as "buyer: PersonId",
            person.known_as as "email!", o.plan_name,
            coalesce(o.granted_credits, o.credits) as "credits!: Credits", o.price_minor,
            o.currency as "currency: Currency", o.provider as "provider: Provider", o.state as "state: OrderState",
            o.created_at
        from credit_orders o join user_profiles person on person.id = o.buyer_id
        where ($1::text is null or o.state = $1)
            and (($3::uuid is null and $4::text is null and $5::text is null) or o.id in (select id from searched))
            and ($7::timestamptz is null or (o.created_at, o.id) < ($7, $8::uuid))
        order by o.created_at desc, o.id desc limit $2"#,
        wanted.state as Option<OrderState>,
        i64::try_from(PAGE_ORDERS).unwrap_or(i64::MAX) + 1,
        order as Option<OrderId>,
        provider_id,
        email,
        PEOPLE_MAX,
        after.map(|after| after.created_at),
        after.map(|after| after.id) as Option<OrderId>,
    )
    .fetch_all(db)
    .await?;
    let mut orders: Vec<Listed> = rows.into_iter().map(Listed::from).collect();
    let more = orders.len() > PAGE_ORDERS;
    orders.truncate(PAGE_ORDERS);
    let last = orders.last().filter(|_| more);
    Ok(Page { older: last.map(|last| After { created_at: last.created_at, id: last.id }), orders })
}

/// How many requests wait for an answer.
pub async fn waiting(db: impl PgExecutor<'_>, _: &Support) -> Result<i64> {
    Ok(sqlx::query_scalar!(r#"select count(*) as "count!" from credit_orders where state = 'requested'"#)
        .fetch_one(db)
        .await?)
}
