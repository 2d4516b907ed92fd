//! `POST /api/webhooks/whop`: verified on the raw bytes before anything else looks at them, answered only once the
//! event is stored for good.

use std::sync::Arc;
use std::time::Duration;

use atlas::batcher::{Batcher, Limits};
use atlas::clock::Clock;
use atlas::events::{Delivery, Received, receive_batch};
use atlas::providers::PaymentProvider;
use atlas::providers::verify::WebhookSecrets;
use atlas::{Context, Error};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use domain::paths::WHOP_WEBHOOK;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tracing::Span;

/// Ask the sender to come again after this long when we can't store.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// While one batch waits for the disk, others are worked on. Beyond the queue the sender is told to come again: some
/// thousand deliveries are more than a second's work.
const LIMITS: Limits =
    Limits { queue: 2_000, batch: 200, lanes: 2, linger: Duration::from_millis(1), time: Duration::from_secs(8) };

/// Where verified deliveries go in and come out stored.
pub type Inbox = Batcher<Delivery, Received>;

/// Collects deliveries into shared transactions. `ctx` has the pool that is kept apart for webhooks.
pub fn inbox(ctx: Context) -> Inbox {
    Batcher::start(LIMITS, move |deliveries| {
        let ctx = ctx.clone();
        async move { receive_batch(&ctx, deliveries).await }
    })
}

/// What it takes to receive a provider's webhooks.
#[derive(Clone)]
struct Endpoint {
    clock: Clock,
    inbox: Inbox,
    provider: Arc<dyn PaymentProvider>,
    secrets: WebhookSecrets,
}

pub fn routes(clock: Clock, inbox: Inbox, provider: Arc<dyn PaymentProvider>, secrets: WebhookSecrets) -> Router {
    Router::new().route(WHOP_WEBHOOK, post(whop)).with_state(Endpoint { clock, inbox, provider, secrets })
}

/// 401 not authentic; 415 encoded; 400 authentic but no event; 503 could not be stored; 200 for everything else, what
/// is unknown, quarantined or seen before included: sending it again would not help.
async fn whop(State(endpoint): State<Endpoint>, headers: HeaderMap, body: Bytes) -> Response {
    if headers.contains_key(header::CONTENT_ENCODING) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let now = endpoint.clock.now().unix_timestamp();
    let verified = match endpoint.secrets.verify(&headers, body, now) {
        Ok(verified) => verified,
        Err(rejection) => {
            tracing::warn!(reason = rejection.as_str(), "webhook rejected");
            return (StatusCode::UNAUTHORIZED, "not authentic\n").into_response();
        }
    };
    let event = match endpoint.provider.read_event(verified.body()) {
        Ok(event) => event,
        Err(not_an_event) => {
            tracing::error!(event.id = verified.id(), reason = %not_an_event, "an authentic webhook can't be read");
            return (StatusCode::BAD_REQUEST, "not an event\n").into_response();
        }
    };
    let (id, kind) = (verified.id().to_owned(), event.kind.clone());
    match endpoint.inbox.submit(Delivery { provider: endpoint.provider.name(), verified, event }).await {
        Ok(received) => {
            // They stand in the line that says how the request was answered.
            Span::current().record("event.id", id).record("event.kind", kind).record("outcome", word(&received));
            (StatusCode::OK, "stored\n").into_response()
        }
        Err(error) => {
            tracing::error!(event.id = id, event.kind = kind, error = ?error, "a webhook could not be stored");
            unavailable(&error)
        }
    }
}

const fn word(received: &Received) -> &'static str {
    match received {
        Received::Applied => "applied",
        Received::Duplicate => "duplicate",
        Received::Ignored => "ignored",
        Received::Waiting => "waiting",
        Received::Quarantined(reason) => reason,
        Received::Parked => "parked",
    }
}

/// Whatever kept us from storing it, the sender has to try again.
fn unavailable(_: &Error) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, RETRY_AFTER_SECONDS)], "not stored, send it again\n")
        .into_response()
}
