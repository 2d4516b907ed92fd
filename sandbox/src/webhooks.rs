//! Webhooks: endpoints that listen, messages to them, and every attempt to deliver one.

pub mod deliver;
pub mod emit;
pub mod endpoints;
pub mod sample;
pub mod schedule;
pub mod sign;
pub mod view;

use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::world::{Record, World};

/// The version whose shapes the sandbox speaks.
pub const API_VERSION_DATE: &str = "2026-10-15-1";

/// Events that the sandbox sends.
pub const EVENTS: [&str; 18] = [
    "payment.created",
    "payment.succeeded",
    "payment.failed",
    "payment.pending",
    "refund.created",
    "refund.updated",
    "dispute.created",
    "dispute.updated",
    "membership.activated",
    "membership.deactivated",
    "membership.updated",
    "membership.cancel_at_period_end_changed",
    "product.created",
    "product.updated",
    "product.deleted",
    "plan.created",
    "plan.updated",
    "plan.deleted",
];

/// An address that wants events.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Endpoint {
    pub id: String,
    pub url: String,
    pub secret: String,
    pub events: Vec<String>,
    pub enabled: bool,
    /// The version it is pinned to; unpinned endpoints get `company_id` in place of `account_id`.
    pub api_version_date: Option<String>,
    pub child_resource_events: bool,
    pub consecutive_failures: u32,
    pub failing_since: Option<Moment>,
    pub last_failure_at: Option<Moment>,
    pub disabled_at: Option<Moment>,
    pub deleted: bool,
    pub created_at: Moment,
}

impl Record for Endpoint {
    const KIND: &'static str = "endpoint";

    fn id(&self) -> &str {
        &self.id
    }

    fn created_at(&self) -> Moment {
        self.created_at
    }

    fn is_deleted(&self) -> bool {
        self.deleted
    }
}

/// One event for one endpoint. Its id and body stay the same through all attempts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Message {
    /// `msg_...`
    pub id: String,
    pub endpoint_id: String,
    pub event: String,
    pub body: String,
    pub payment_id: Option<String>,
    /// The attempt that this message repeats under a new id.
    pub replayed_from: Option<String>,
    /// Requests sent so far, copies included.
    pub sent: u32,
    /// Those of them that belong to the retry schedule.
    pub tries: u32,
    /// Delivered or given up.
    pub done: bool,
    pub created_at: Moment,
}

impl Record for Message {
    const KIND: &'static str = "message";

    fn id(&self) -> &str {
        &self.id
    }

    fn created_at(&self) -> Moment {
        self.created_at
    }
}

/// One HTTP request that carried a message, or was meant to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attempt {
    /// `whdel_...`
    pub id: String,
    pub message_id: String,
    pub endpoint_id: String,
    pub event: String,
    pub url: String,
    pub payment_id: Option<String>,
    /// Counts from 1.
    pub number: u32,
    pub cause: Cause,
    pub status_code: Option<u16>,
    /// The start of the answer, or why there was none.
    pub answer: String,
    pub success: bool,
    pub sent_at: Moment,
    pub duration_ms: u64,
    pub next_attempt_at: Option<Moment>,
    pub replayed_from: Option<String>,
}

/// Why an attempt was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// By the schedule.
    Scheduled,
    /// An extra copy, made by the fault of that name.
    Duplicate,
    /// Somebody asked for it again.
    Redelivery,
    /// Never sent: the fault that loses messages took it.
    Lost,
}

impl Record for Attempt {
    const KIND: &'static str = "attempt";

    fn id(&self) -> &str {
        &self.id
    }

    fn created_at(&self) -> Moment {
        self.sent_at
    }
}

/// The endpoint given on the command line: made once, kept by the journal, with the secret of this start.
pub fn ensure_first(world: &mut World, url: &str, secret: Option<&str>) {
    let known = world.endpoints.newest().find(|endpoint| endpoint.url == url).map(|endpoint| endpoint.id.clone());
    match known.and_then(|id| world.endpoints.edit(&id)) {
        Some(endpoint) => {
            endpoint.enabled = true;
            endpoint.secret = secret.map_or_else(|| endpoint.secret.clone(), str::to_owned);
        }
        None => {
            endpoints::add(world, url, secret);
        }
    }
}
