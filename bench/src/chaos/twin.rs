//! The provider's twin: answers over real HTTP what Whop would answer at this moment of the storm (Whop API, payments,
//! refunds, disputes, pagination, errors), and has outages.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::extract::{Path, Query, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{StatusCode, header};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::world::wire::{self, Age};
use super::world::{Change, Message, Order, Payment, World};

const PAGE_ITEMS: usize = 20;
const PAGE_ITEMS_MAX: usize = 100;

pub struct Twin {
    pub address: SocketAddr,
    pub knows: Arc<Knows>,
    _serving: JoinSet<()>,
}

/// What has happened so far.
pub struct Knows {
    api_key: String,
    company: String,
    orders: Vec<Order>,
    payments: Mutex<Vec<(bool, Payment)>>,
    by_id: HashMap<String, usize>,
    /// Payments by the plan that they are for.
    by_plan: HashMap<String, Vec<usize>>,
    is_out: AtomicBool,
    pub asked: AtomicU64,
}

type Asked = Query<HashMap<String, String>>;
type Answer = (StatusCode, Json<Value>);

impl Twin {
    pub async fn start(world: &World, api_key: &str, company: &str) -> Result<Self> {
        let by_id = world.payments.iter().enumerate().map(|(index, payment)| (payment.id.clone(), index)).collect();
        let mut by_plan: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, payment) in world.payments.iter().enumerate() {
            by_plan.entry(world.orders[payment.order].plan.clone()).or_default().push(index);
        }
        let knows = Arc::new(Knows {
            api_key: format!("Bearer {api_key}"),
            company: company.to_owned(),
            orders: world.orders.clone(),
            payments: Mutex::new(world.payments.iter().map(|payment| (false, payment.clone())).collect()),
            by_id,
            by_plan,
            is_out: AtomicBool::new(false),
            asked: AtomicU64::new(0),
        });
        let api = Router::new()
            .route("/payments", get(payments))
            .route("/payments/{id}", get(payment))
            .route("/refunds", get(refunds))
            .route("/refunds/{id}", get(refund))
            .route("/disputes", get(disputes))
            .route("/disputes/{id}", get(dispute))
            .layer(from_fn_with_state(Arc::clone(&knows), door));
        let site = Router::new().nest("/api/v1", api).with_state(Arc::clone(&knows));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let _ = axum::serve(listener, site).await;
        });
        Ok(Self { address, knows, _serving: serving })
    }
}

impl Knows {
    /// What a message tells of has now happened.
    pub fn happens(&self, message: &Message) {
        let (has_happened, payment) = &mut self.all()[message.payment];
        // A message that was never the provider's makes no payment there.
        *has_happened |= matches!(message.change, Change::Payment(_));
        payment.apply(&message.change);
    }

    pub fn outage(&self, is_out: bool) {
        self.is_out.store(is_out, Ordering::SeqCst);
    }

    /// How each payment stands; none for those that never were.
    pub fn payments(&self) -> Vec<Option<Payment>> {
        self.all().iter().map(|(has_happened, payment)| has_happened.then(|| payment.clone())).collect()
    }

    fn all(&self) -> MutexGuard<'_, Vec<(bool, Payment)>> {
        self.payments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Newest first, those of our account that fit what is asked for, each with its place.
    fn newest<T>(&self, asked: &Asked, each: impl Fn(&Payment) -> Vec<T>) -> Vec<(usize, T)> {
        let all = self.all();
        let after = asked.get("after").and_then(|cursor| cursor.strip_prefix('c')?.parse::<usize>().ok());
        let time = |name: &str| OffsetDateTime::parse(asked.get(name)?, &Rfc3339).ok();
        let (created_after, created_before) = (time("created_after"), time("created_before"));
        let is_asked_for = |payment: &Payment| {
            let is_named = asked.get("payment_id").is_none_or(|id| *id == payment.id);
            let created = OffsetDateTime::parse(&payment.created_at, &Rfc3339).ok();
            is_named
                && payment.account == self.company
                && created_after.is_none_or(|after| created > Some(after))
                && created_before.is_none_or(|before| created < Some(before))
        };
        let candidates: Vec<usize> = match asked.get("plan_id") {
            Some(plan) => self.by_plan.get(plan).cloned().unwrap_or_default(),
            None => match asked.get("payment_id").and_then(|id| self.by_id.get(id)) {
                Some(index) => vec![*index],
                None => (0..all.len()).collect(),
            },
        };
        let mut found = Vec::new();
        for index in candidates.into_iter().rev() {
            let (has_happened, payment) = &all[index];
            if !has_happened || after.is_some_and(|after| index * PLACES > after) || !is_asked_for(payment) {
                continue;
            }
            for (place, item) in each(payment).into_iter().enumerate().rev() {
                let place = index * PLACES + place;
                if after.is_none_or(|after| place < after) {
                    found.push((place, item));
                }
            }
            if found.len() > PAGE_ITEMS_MAX {
                break;
            }
        }
        found
    }
}

/// More refunds or disputes than any payment has.
const PLACES: usize = 16;

async fn door(State(knows): State<Arc<Knows>>, request: Request, next: Next) -> Response {
    knows.asked.fetch_add(1, Ordering::Relaxed);
    if knows.is_out.load(Ordering::SeqCst) {
        return refused(StatusCode::SERVICE_UNAVAILABLE, "internal_server_error").into_response();
    }
    let key = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if key != Some(&knows.api_key) {
        return refused(StatusCode::UNAUTHORIZED, "unauthorized").into_response();
    }
    next.run(request).await
}

fn refused(status: StatusCode, kind: &str) -> Answer {
    (status, Json(json!({ "error": { "type": kind, "message": kind } })))
}

fn page(asked: &Asked, mut found: Vec<(usize, Value)>) -> Answer {
    let first = asked.get("first").and_then(|first| first.parse().ok()).unwrap_or(PAGE_ITEMS).clamp(1, PAGE_ITEMS_MAX);
    let has_more = found.len() > first;
    found.truncate(first);
    let end = found.last().map(|(place, _)| format!("c{place}"));
    let data: Vec<Value> = found.into_iter().map(|(_, item)| item).collect();
    (
        StatusCode::OK,
        Json(json!({ "data": data, "page_info": {
        "end_cursor": end, "start_cursor": null, "has_next_page": has_more, "has_previous_page": false,
    } })),
    )
}

async fn payments(State(knows): State<Arc<Knows>>, asked: Asked) -> Answer {
    let found = knows.newest(&asked, |payment| vec![wire::payment_object(payment, &knows.orders, Age::Pinned)]);
    let status = asked.get("status");
    page(
        &asked,
        found.into_iter().filter(|(_, payment)| status.is_none_or(|status| payment["status"] == **status)).collect(),
    )
}

async fn refunds(State(knows): State<Arc<Knows>>, asked: Asked) -> Answer {
    let objects =
        |payment: &Payment| payment.refunds.iter().map(|refund| wire::refund_object(refund, payment)).collect();
    page(&asked, knows.newest(&asked, objects))
}

async fn disputes(State(knows): State<Arc<Knows>>, asked: Asked) -> Answer {
    let objects =
        |payment: &Payment| payment.disputes.iter().map(|dispute| wire::dispute_object(dispute, payment)).collect();
    page(&asked, knows.newest(&asked, objects))
}

async fn payment(State(knows): State<Arc<Knows>>, Path(id): Path<String>) -> Answer {
    one(&knows, &id, |payment| Some(wire::payment_object(payment, &knows.orders, Age::Pinned)))
}

async fn refund(State(knows): State<Arc<Knows>>, Path(id): Path<String>) -> Answer {
    let payment = id.split('x').next().unwrap_or_default().replace("rf_", "pay_");
    one(&knows, &payment, |payment| {
        let refund = payment.refunds.iter().find(|refund| refund.id == id)?;
        Some(wire::refund_object(refund, payment))
    })
}

async fn dispute(State(knows): State<Arc<Knows>>, Path(id): Path<String>) -> Answer {
    one(&knows, &id.replace("dspt_", "pay_"), |payment| {
        let dispute = payment.disputes.iter().find(|dispute| dispute.id == id)?;
        Some(wire::dispute_object(dispute, payment))
    })
}

/// Something of one payment of our account, or "not found".
fn one(knows: &Knows, payment: &str, of: impl Fn(&Payment) -> Option<Value>) -> Answer {
    let all = knows.all();
    let entry = knows.by_id.get(payment).and_then(|index| all.get(*index));
    let ours = entry.filter(|(has_happened, payment)| *has_happened && payment.account == knows.company);
    let found = ours.and_then(|(_, payment)| of(payment));
    found.map_or_else(|| refused(StatusCode::NOT_FOUND, "not_found"), |found| (StatusCode::OK, Json(found)))
}
