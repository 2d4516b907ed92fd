//! `/api/credit-orders`: a buyer's own orders, listed and begun.

use atlas::orders::Choice;
use atlas::orders::begin::{Wish, begin, may_begin};
use atlas::orders::own::{self, Own};
use atlas::orders::request::Note;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use domain::{Credits, Currency, FailureReason, FieldErrors, OrderId, OrderState, PlanId, Price, Provider};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::{self, Door};
use super::problem::Problem;
use super::shapes::{self, Declined, Instant};
use super::{credentials, input};

pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// One order of the person who asks.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreditOrder {
    #[schema(value_type = uuid::Uuid)]
    id: OrderId,
    #[schema(value_type = uuid::Uuid)]
    plan: PlanId,
    plan_name: String,
    /// Those that arrived, where an admin gave other ones than were asked for.
    #[schema(value_type = i64)]
    credits: Credits,
    /// Given on top, as a lot of their own; 0: none.
    #[schema(value_type = i64)]
    bonus_credits: Credits,
    /// In the currency's smallest unit; null: by agreement.
    #[schema(required = true)]
    price_minor: Option<i64>,
    #[schema(value_type = Option<String>, required = true)]
    currency: Option<Currency>,
    #[schema(schema_with = shapes::provider)]
    provider: Provider,
    #[schema(schema_with = shapes::order_state)]
    state: OrderState,
    #[schema(schema_with = shapes::failure, required = true)]
    failure: Option<FailureReason>,
    #[schema(required = true)]
    note: Option<String>,
    /// What whoever answered a request said.
    #[schema(required = true)]
    answer_reason: Option<String>,
    /// Where it can be paid now.
    #[schema(required = true)]
    checkout_url: Option<String>,
    created_at: Instant,
    #[schema(required = true)]
    settled_at: Option<Instant>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct CreditOrders {
    orders: Vec<CreditOrder>,
    /// What to send as `after` for the next page; null at the end.
    #[schema(required = true)]
    next: Option<String>,
}

/// What an address may ask for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// `next` of the page before.
    after: Option<String>,
    /// 1 to 100; 50 if it is left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 100)]
    limit: Option<String>,
}

/// What to order. Price and credits are the plan's.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCreditOrder {
    #[schema(value_type = uuid::Uuid)]
    plan: PlanId,
    /// One of the plan’s, three letters; left out: its main one.
    #[serde(default)]
    currency: Option<String>,
    /// For whoever answers a request: up to 2,000 characters. Not for orders that are paid for at a checkout.
    #[serde(default)]
    note: Option<String>,
}

/// The price's two columns.
pub const fn price(price: Price) -> (Option<i64>, Option<Currency>) {
    match price {
        Price::Fixed(money) => (Some(money.minor), Some(money.currency)),
        Price::ByAgreement => (None, None),
    }
}

impl From<Own> for CreditOrder {
    fn from(order: Own) -> Self {
        let (price_minor, currency) = price(order.price);
        Self {
            id: order.id,
            plan: order.plan,
            plan_name: order.plan_name,
            credits: order.credits,
            bonus_credits: order.bonus,
            price_minor,
            currency,
            provider: order.provider,
            state: order.state,
            failure: order.failure,
            note: order.note,
            answer_reason: order.answer_reason,
            checkout_url: order.checkout_url,
            created_at: Instant(order.created_at),
            settled_at: order.settled_at.map(Instant),
        }
    }
}

/// Your orders, the newest first.
#[utoipa::path(get, path = "/api/credit-orders", tag = "Orders", params(Asked), security(("session" = [])),
    responses((status = 200, body = CreditOrders), Declined))]
pub async fn list(State(door): State<Door>, parts: Parts) -> Result<Json<CreditOrders>, Problem> {
    let (request, person) = caller::person(&door, &parts).await?;
    let asked: Asked = input::query(&parts.uri)?;
    let mut wrong = FieldErrors::default();
    let after = input::parameter(&mut wrong, "after", asked.after.as_deref(), "Send `next` of the page before.");
    let limit = input::limit(&mut wrong, asked.limit.as_deref());
    input::unless_wrong(wrong)?;
    let page = own::page(&request.ctx().db, &person, after, limit).await?;
    let next = page.next.map(|after| after.to_string());
    Ok(Json(CreditOrders { orders: page.orders.into_iter().map(CreditOrder::from).collect(), next }))
}

/// Begins an order by whatever path you are on: with a `checkout_url` to pay at, or as a request that a person answers.
#[utoipa::path(post, path = "/api/credit-orders", tag = "Orders", request_body = NewCreditOrder, security(("session" = [])),
    params(("Idempotency-Key" = String, Header, description = "Your own name for this order: 8 to 128 letters, digits, - or _.")),
    responses((status = 201, body = CreditOrder), Declined))]
pub async fn create(State(door): State<Door>, parts: Parts, body: Bytes) -> Result<Response, Problem> {
    let (request, person) = caller::person(&door, &parts).await?;
    let key = credentials::form_key(&parts.headers)?;
    let wish = wish(&input::body(&parts.headers, &body)?)?;
    may_begin(request.ctx(), &person, request.address()).await?;
    let begun = begin(request.ctx(), &person, &wish, &key).await?;
    let order = own::open(&request.ctx().db, &person, begun.order).await?;
    let mut answer = (StatusCode::CREATED, Json(CreditOrder::from(order))).into_response();
    if begun.again {
        answer.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(answer)
}

fn wish(asked: &NewCreditOrder) -> Result<Wish, FieldErrors> {
    let mut wrong = FieldErrors::default();
    let message = "Send the three letters of a currency.";
    let currency = input::parameter(&mut wrong, "currency", asked.currency.as_deref(), message);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let note = Note::parse("note", asked.note.as_deref().unwrap_or_default())?;
    Ok(Wish { choice: Choice { plan: asked.plan, currency }, note })
}
