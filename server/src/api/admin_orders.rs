//! `/api/admin/credit-orders`: everybody's orders, found as on the page of orders; one of them, with what was paid and booked.

use atlas::by_hand::list::Listed as Deed;
use atlas::orders::desk::{self, After, Search, Sort, Wanted};
use atlas::orders::dossier;
use atlas::orders::list::Listed;
use axum::Json;
use axum::extract::{Path, State};
use domain::{Credits, Currency, FieldErrors, OrderId, OrderState, PersonId, Provider, paths};
use http::request::Parts;
use serde::{Deserialize, Serialize};
use time::Date;
use time::macros::format_description;
use utoipa::{IntoParams, ToSchema};

use super::caller::{self, Door};
use super::dossier_shape::OrderDossier;
use super::input;
use super::orders::price;
use super::problem::Problem;
use super::shapes::{self, Declined, Instant};

/// One order, in short.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedOrder {
    #[schema(value_type = uuid::Uuid)]
    id: OrderId,
    #[schema(value_type = uuid::Uuid)]
    buyer_id: PersonId,
    buyer_email: String,
    plan_name: String,
    /// Those that arrived, where an admin gave other ones than were asked for.
    #[schema(value_type = i64)]
    credits: Credits,
    /// In the currency's smallest unit; null: by agreement.
    #[schema(required = true)]
    price_minor: Option<i64>,
    #[schema(value_type = Option<String>, required = true)]
    currency: Option<Currency>,
    #[schema(schema_with = shapes::provider)]
    provider: Provider,
    #[schema(schema_with = shapes::order_state)]
    state: OrderState,
    created_at: Instant,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ListedOrders {
    orders: Vec<ListedOrder>,
    /// What to send as `after` for the next page; null at the end.
    #[schema(required = true)]
    next: Option<String>,
}

/// What waits for another admin to confirm it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Waiting {
    waits_for_second_admin: WaitingDeed,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct WaitingDeed {
    #[schema(value_type = uuid::Uuid)]
    order: Option<OrderId>,
    #[schema(value_type = i64)]
    credits: Credits,
    reason: String,
    asked_by: String,
    asked_at: Instant,
    /// The page on which another admin confirms or declines.
    confirm_at: String,
}

/// What an address may ask for; the same as on the page of orders.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    #[param(schema_with = shapes::order_state)]
    state: Option<String>,
    #[param(schema_with = shapes::provider)]
    provider: Option<String>,
    /// A plan's id: of it, in whichever version.
    #[param(value_type = Option<uuid::Uuid>)]
    plan: Option<String>,
    /// The first day (UTC) on which they were made, or settled where they are sorted by that: 2026-11-01.
    #[param(format = Date)]
    from: Option<String>,
    /// The last day.
    #[param(format = Date)]
    to: Option<String>,
    /// `newest` (if it is left out) or `oldest` first; `last-settled` or `first-settled`: by when they were paid or decided.
    sort: Option<String>,
    /// An order's id, a provider's id of a payment, checkout or refund, or how a buyer's address begins.
    q: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// 1 to 100; 50 if it is left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 100)]
    limit: Option<String>,
}

/// What was asked for, read.
struct Chosen {
    wanted: Wanted,
    after: Option<After>,
    limit: usize,
}

impl Asked {
    /// Stricter than the page: what does not read is refused, not left out.
    fn read(&self) -> Result<Chosen, Problem> {
        let mut wrong = FieldErrors::default();
        let state = input::parameter(&mut wrong, "state", self.state.as_deref(), "This is no state of an order.");
        let provider = input::parameter(&mut wrong, "provider", self.provider.as_deref(), "This is no provider.");
        let sort = match self.sort.as_deref() {
            None => Sort::default(),
            Some(word) => Sort::ALL.into_iter().find(|sort| sort.as_str() == word).unwrap_or_else(|| {
                wrong.add("sort", "Send newest, oldest, last-settled or first-settled.");
                Sort::default()
            }),
        };
        let plan = input::parameter(&mut wrong, "plan", self.plan.as_deref(), "This is no plan’s id.");
        let q = self.q.as_deref().unwrap_or_default();
        if q.chars().any(char::is_control) {
            wrong.add("q", "Leave control characters out.");
        }
        let (from, to) = (day(&mut wrong, "from", self.from.as_deref()), day(&mut wrong, "to", self.to.as_deref()));
        let after = input::parameter(&mut wrong, "after", self.after.as_deref(), "Send `next` of the page before.");
        let limit = input::limit(&mut wrong, self.limit.as_deref());
        input::unless_wrong(wrong)?;
        Ok(Chosen { wanted: Wanted { state, provider, plan, from, to, search: Search::parse(q), sort }, after, limit })
    }
}

fn day(wrong: &mut FieldErrors, field: &str, text: Option<&str>) -> Option<Date> {
    let read = Date::parse(text?, format_description!("[year]-[month]-[day]")).ok();
    if read.is_none() {
        wrong.add(field, "Send a day like 2026-11-01.");
    }
    read
}

impl From<Listed> for ListedOrder {
    fn from(order: Listed) -> Self {
        let (price_minor, currency) = price(order.price);
        Self {
            id: order.id,
            buyer_id: order.buyer,
            buyer_email: order.buyer_email,
            plan_name: order.plan_name,
            credits: order.credits,
            price_minor,
            currency,
            provider: order.provider,
            state: order.state,
            created_at: Instant(order.created_at),
        }
    }
}

impl Waiting {
    pub fn of(deed: Deed, public_url: &str) -> Self {
        let waits_for_second_admin = WaitingDeed {
            order: deed.order,
            credits: deed.credits,
            reason: deed.reason,
            asked_by: deed.asked_by,
            asked_at: Instant(deed.created_at),
            confirm_at: format!("{public_url}{}", paths::ADMIN_APPROVALS),
        };
        Self { waits_for_second_admin }
    }
}

/// Everybody's orders. For staff, and for keys of the scope `read`.
#[utoipa::path(get, path = "/api/admin/credit-orders", tag = "Orders", params(Asked),
    security(("session" = []), ("key" = [])), responses((status = 200, body = ListedOrders), Declined))]
pub async fn list(State(door): State<Door>, parts: Parts) -> Result<Json<ListedOrders>, Problem> {
    let by = caller::reads_orders(&door, &parts).await?;
    let asked: Asked = input::query(&parts.uri)?;
    let chosen = asked.read()?;
    let page = desk::page_of(&door.site.ctx.db, &*by, &chosen.wanted, chosen.after, chosen.limit).await?;
    let next = page.next.map(|after| after.to_string());
    Ok(Json(ListedOrders { orders: page.orders.into_iter().map(ListedOrder::from).collect(), next }))
}

/// One order, with its payments and what the ledger booked. For staff, and for keys of the scope `read`.
#[utoipa::path(get, path = "/api/admin/credit-orders/{id}", tag = "Orders",
    params(("id" = uuid::Uuid, Path)), security(("session" = []), ("key" = [])),
    responses((status = 200, body = OrderDossier), Declined))]
pub async fn open(
    State(door): State<Door>,
    Path(id): Path<String>,
    parts: Parts,
) -> Result<Json<OrderDossier>, Problem> {
    let by = caller::reads_orders(&door, &parts).await?;
    let order = dossier::load(&door.site.ctx, &*by, input::id(&id)?).await?;
    Ok(Json(order.into()))
}
