//! Orders as those who look after them see them: all of everybody's, filtered, searched, a page at a time.

use std::fmt;
use std::str::FromStr;

use domain::{Credits, Currency, OrderId, OrderState, PersonId, PlanId, Provider};
use sqlx::PgExecutor;
use time::{Date, OffsetDateTime};

use super::list::{Listed, Row};
use crate::Result;
use crate::people::roles::{ReadsOrders, Support};

pub const PAGE_ORDERS: usize = 50;
/// People whose address begins with what was searched for, at most.
const PEOPLE_MAX: i32 = 100;

/// Which orders to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// None: in any state.
    pub state: Option<OrderState>,
    /// None: any.
    pub provider: Option<Provider>,
    /// None: of any, in whichever version.
    pub plan: Option<PlanId>,
    /// The first and the last day (UTC) on which they were made; or settled, where they are sorted by that.
    pub from: Option<Date>,
    pub to: Option<Date>,
    pub search: Search,
    pub sort: Sort,
}

/// In which order they come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Newest,
    Oldest,
    /// By when they were paid or decided: only those that are.
    LastSettled,
    FirstSettled,
}

impl Sort {
    pub const ALL: [Self; 4] = [Self::Newest, Self::Oldest, Self::LastSettled, Self::FirstSettled];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::LastSettled => "last-settled",
            Self::FirstSettled => "first-settled",
        }
    }

    /// Anything else: the newest first.
    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text).unwrap_or_default()
    }

    pub const fn is_by_settled(self) -> bool {
        matches!(self, Self::LastSettled | Self::FirstSettled)
    }

    const fn is_oldest_first(self) -> bool {
        matches!(self, Self::Oldest | Self::FirstSettled)
    }
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
    /// When it was made, or settled: what they are sorted by.
    pub at: OffsetDateTime,
    pub id: OrderId,
}

/// As it stands in an address: `1795305600000000000.0190aaaa-…`.
impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.unix_timestamp_nanos(), self.id)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no place where a page begins")]
pub struct NoPlace;

impl FromStr for After {
    type Err = NoPlace;

    fn from_str(text: &str) -> std::result::Result<Self, NoPlace> {
        let (at, id) = text.split_once('.').ok_or(NoPlace)?;
        let at = at.parse().map_err(|_| NoPlace)?;
        let at = OffsetDateTime::from_unix_timestamp_nanos(at).map_err(|_| NoPlace)?;
        Ok(Self { at, id: id.parse().map_err(|_| NoPlace)? })
    }
}

#[derive(Debug, Clone)]
pub struct Page {
    pub orders: Vec<Listed>,
    /// Where the next page begins; none at the end.
    pub next: Option<After>,
}

/// A page of orders.
pub async fn page(db: impl PgExecutor<'_>, by: &Support, wanted: &Wanted, after: Option<After>) -> Result<Page> {
    page_of(db, by, wanted, after, PAGE_ORDERS).await
}

/// A page of at most `limit` orders.
pub async fn page_of(
    db: impl PgExecutor<'_>,
    _: &dyn ReadsOrders,
    wanted: &Wanted,
    after: Option<After>,
    limit: usize,
) -> Result<Page> {
    chosen(db, wanted, after, limit).await
}

/// At most `limit` of them; which index is best for what was chosen, `orders_chosen` finds out anew each time.
pub(super) async fn chosen(
    db: impl PgExecutor<'_>,
    wanted: &Wanted,
    after: Option<After>,
    limit: usize,
) -> Result<Page> {
    let (order, provider_id, email) = match &wanted.search {
        Search::Everything => (None, None, None),
        Search::Order(order) => (Some(*order), None, None),
        Search::ProviderId(id) => (None, Some(id.as_str()), None),
        Search::Email(email) => (None, None, Some(email.as_str())),
    };
    let states: Vec<&str> = match wanted.state {
        Some(state) => vec![state.as_str()],
        None => OrderState::ALL.iter().map(|state| state.as_str()).collect(),
    };
    let providers: Vec<&str> = match wanted.provider {
        Some(provider) => vec![provider.as_str()],
        None => Provider::ALL.iter().map(|provider| provider.as_str()).collect(),
    };
    let midnight = |day: Date| day.midnight().assume_utc();
    let rows = sqlx::query_as!(
        Row,
        r#"select o.id as "id!: OrderId", o.buyer_id as "buyer!: PersonId",
            person.known_as as "email!", o.plan_name as "plan_name!",
            coalesce(o.granted_credits, o.credits) as "credits!: Credits", o.price_minor,
            o.currency as "currency: Currency", o.provider as "provider!: Provider", o.state as "state!: OrderState",
            o.created_at as "created_at!", o.settled_at
        from orders_chosen($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) as chosen
        join credit_orders o on o.id = chosen.id join user_profiles person on person.id = o.buyer_id
        order by chosen.place"#,
        wanted.state as Option<OrderState>,
        wanted.provider as Option<Provider>,
        wanted.plan as Option<PlanId>,
        wanted.from.map(midnight),
        wanted.to.and_then(Date::next_day).map(midnight),
        order as Option<OrderId>,
        provider_id,
        email,
        PEOPLE_MAX,
        &states as &[&str],
        &providers as &[&str],
        wanted.sort.is_by_settled(),
        wanted.sort.is_oldest_first(),
        after.map(|after| after.at),
        after.map(|after| after.id) as Option<OrderId>,
        i32::try_from(limit).unwrap_or(i32::MAX).saturating_add(1),
    )
    .fetch_all(db)
    .await?;
    let mut orders: Vec<Listed> = rows.into_iter().map(Listed::from).collect();
    let more = orders.len() > limit;
    orders.truncate(limit);
    let next = orders.last().filter(|_| more).and_then(|last| {
        let at = if wanted.sort.is_by_settled() { last.settled_at } else { Some(last.created_at) };
        Some(After { at: at?, id: last.id })
    });
    Ok(Page { orders, next })
}

/// How many requests wait for an answer.
pub async fn waiting(db: impl PgExecutor<'_>, _: &Support) -> Result<i64> {
    Ok(sqlx::query_scalar!(r#"select count(*) as "count!" from credit_orders where state = 'requested'"#)
        .fetch_one(db)
        .await?)
}
