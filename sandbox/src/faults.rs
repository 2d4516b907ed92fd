//! Misbehaviour on request: what `PUT /sandbox/faults` sets, and the layer that makes the API suffer from it.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Deserializer, Serialize};

use crate::api::error::ApiError;
use crate::oauth::Lie;
use crate::sandbox::Sandbox;
use crate::tasks;

/// How long a call hangs that was told to time out.
const HANG: Duration = Duration::from_secs(30);

/// The two attested shapes of `purchase_url`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PurchaseUrlShape {
    /// `/checkout/plan_.../?session=ch_...`
    #[default]
    Session,
    /// `/checkout/ch_.../`
    Path,
}

/// Which parameters the return to the seller carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedirectStyle {
    /// As observed on the hosted page.
    #[default]
    Hosted,
    /// As payment elements do.
    Elements,
    /// None at all.
    None,
}

/// Every fault and switch. The default is good behaviour.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the JSON")]
pub struct Faults {
    /// Extra copies of each delivery, sent at the same time.
    pub webhook_duplicates: u32,
    /// Every other message is held back until after the next one.
    pub webhook_reorder: bool,
    /// Waits before the first attempt.
    pub webhook_delay_ms: u64,
    /// Probability, 0 to 1, that a message is never sent.
    pub webhook_loss: f64,
    /// Event types that the webhook faults apply to, one or a list; all of them when empty.
    #[serde(deserialize_with = "one_or_many")]
    pub webhook_only: Vec<String>,
    /// Waits before every API answer.
    pub api_latency_ms: u64,
    /// Answers with this status.
    pub api_error_status: Option<u16>,
    /// How many more failures, then none; without a number it goes on.
    pub api_error_count: Option<u32>,
    /// Failures only where the path contains this.
    pub api_error_paths: Option<String>,
    /// Does what was asked, then answers with the error (500 if none is set).
    pub api_error_after_doing: bool,
    /// Does what was asked, then hangs for 30 seconds.
    pub api_timeout_after_doing: bool,
    /// Answers 200 with a page that is not JSON.
    pub garbage: bool,
    /// A payment cannot be read until it is this old.
    pub payment_read_delay_ms: u64,
    pub purchase_url_shape: PurchaseUrlShape,
    pub redirect_style: RedirectStyle,
    /// A bank debit waits for the control route.
    pub bank_debit_hold: bool,
    /// How long a bank debit takes, if not the usual time.
    pub bank_debit_settle_ms: Option<u64>,
    /// Refuses addresses at example.com, as Whop's own sandbox does.
    pub refuse_example_emails: bool,
    /// What the authorisation server says that is not so, one or a list.
    #[serde(deserialize_with = "one_or_many_lies")]
    pub oauth_lies: Vec<Lie>,
    /// Waits before every answer to a client that asks for tokens or people.
    pub oauth_latency_ms: u64,
    /// Answers such a client with this status.
    pub oauth_error_status: Option<u16>,
    /// Does what was asked first.
    pub oauth_error_after_doing: bool,
    /// Whose turn it is to wait, with `webhook_reorder`.
    #[serde(skip)]
    pub reorder_turn: bool,
}

impl Faults {
    /// Whether webhook faults leave this event alone.
    pub fn spares(&self, event: &str) -> bool {
        !self.webhook_only.is_empty() && !self.webhook_only.iter().any(|only| only == event)
    }

    /// Takes the next API failure for a path, if one is due.
    fn take(&mut self, path: &str) -> Option<Failure> {
        if self.api_error_paths.as_ref().is_some_and(|part| !path.contains(part.as_str()))
            || self.api_error_count == Some(0)
        {
            return None;
        }
        let failure = if self.api_timeout_after_doing {
            Failure::HangAfterDoing
        } else if self.api_error_after_doing {
            Failure::ErrorAfterDoing(self.api_error_status.unwrap_or(500))
        } else if self.garbage {
            Failure::Garbage
        } else {
            Failure::Error(self.api_error_status?)
        };
        if let Some(count) = &mut self.api_error_count {
            *count -= 1;
        }
        Some(failure)
    }
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(one) if one == "all" => Vec::new(),
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    })
}

fn one_or_many_lies<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Lie>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(Lie),
        Many(Vec<Lie>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    })
}

#[derive(Clone, Copy, Debug)]
enum Failure {
    Error(u16),
    ErrorAfterDoing(u16),
    HangAfterDoing,
    Garbage,
}

/// Stands before everything else under `/api/v1`.
pub async fn layer(State(sandbox): State<Sandbox>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let (latency, failure) = sandbox.change(|world| (world.faults.api_latency_ms, world.faults.take(&path)));
    if latency > 0 {
        tokio::time::sleep(Duration::from_millis(latency)).await;
    }
    match failure {
        None => next.run(request).await,
        Some(Failure::Error(status)) => ApiError::of_status(status).into_response(),
        Some(Failure::Garbage) => {
            let page = "<!doctype html><title>Just a moment</title><p>Checking your connection";
            ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
        }
        Some(after) => {
            // In a task of its own: it is done even if the caller gives up waiting.
            let done = tasks::spawn(next.run(request)).await;
            if let Failure::ErrorAfterDoing(status) = after {
                return ApiError::of_status(status).into_response();
            }
            tokio::time::sleep(HANG).await;
            done.unwrap_or_else(|_| ApiError::of_status(500).into_response())
        }
    }
}
