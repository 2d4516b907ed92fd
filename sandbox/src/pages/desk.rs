//! The desk, at `/`: everything that happened, newest first, with buttons to make more happen.

mod view;

use axum::Router;
use axum::extract::{Form, Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::api::error::ApiError;
use crate::disputes::{self, DisputeStatus};
use crate::money::Decimal;
use crate::payments::{Decline, Verdict, settle};
use crate::refunds;
use crate::sandbox::Sandbox;
use crate::webhooks::endpoints;
use crate::world::World;

pub fn routes() -> Router<Sandbox> {
    Router::new().route("/", get(show)).route("/desk/{verb}/{id}", post(act))
}

#[derive(Deserialize, Default)]
struct Params {
    /// `off` stops the page from refreshing itself.
    refresh: Option<String>,
    /// What the last button could not do.
    refused: Option<String>,
}

async fn show(State(sandbox): State<Sandbox>, Query(params): Query<Params>) -> Response {
    let live = params.refresh.as_deref() != Some("off") && params.refused.is_none();
    sandbox.read(|world| view::desk(world, live, params.refused.as_deref()))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Input {
    amount: String,
    status: Option<DisputeStatus>,
    succeeded: bool,
}

/// One button. It leads back to the desk, with a sentence if it could not be done.
async fn act(
    State(sandbox): State<Sandbox>,
    Path((verb, id)): Path<(String, String)>,
    Form(input): Form<Input>,
) -> Response {
    match sandbox.change(|world| apply(world, &verb, &id, &input)) {
        Ok(()) => Redirect::to("/").into_response(),
        Err(why) => Redirect::to(&format!("/?refused={}", escaped(&why.message))).into_response(),
    }
}

fn apply(world: &mut World, verb: &str, id: &str, input: &Input) -> Result<(), ApiError> {
    match verb {
        "refund" => {
            let amount = match input.amount.trim() {
                "" => None,
                text => Some(text.parse::<Decimal>().map_err(|why| ApiError::bad(format!("The amount {why}")))?),
            };
            refunds::start(world, id, amount, None).map(drop)
        }
        "dispute" => {
            let status = input.status.unwrap_or(DisputeStatus::NeedsResponse);
            disputes::moved(world, id, status, None).map(drop)
        }
        "settle" => {
            let failed = || Verdict::Declines(Decline::new("bank_insufficient_funds"));
            let verdict = if input.succeeded { Verdict::Succeeds } else { failed() };
            if settle::pending(world, id, verdict) { Ok(()) } else { Err(ApiError::bad("This payment is not pending")) }
        }
        "redeliver" => endpoints::replay(world, id, None, false).map(drop),
        _ => Err(ApiError::not_found("This button")),
    }
}

/// Text for a query parameter.
fn escaped(text: &str) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric();
    text.bytes().map(|byte| if safe(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
