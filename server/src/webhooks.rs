//! `POST /api/webhooks/whop`: verified on the raw bytes before anything else looks at them, answered only once the
//! event is stored for good.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use app::request::ClientAddress;
use atlas::Context;
use atlas::batcher::{Batcher, Limits};
use atlas::clock::Clock;
use atlas::events::{Delivery, Received, receive_batch};
use atlas::limits::by_address;
use atlas::providers::verify::{Rejection, SecretUsed};
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Router};
use domain::paths::WHOP_WEBHOOK;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tracing::Span;

use crate::meter::{Meter, Rate};
use crate::providers::WhopDoor;

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
    whop: WhopDoor,
    refusals: Refusals,
}

/// `bad_signatures` limits how often an address is told that what it sent is not authentic.
pub fn routes(clock: Clock, inbox: Inbox, door: WhopDoor, bad_signatures: Arc<Meter<String>>) -> Router {
    let refusals = Refusals { by_address: bad_signatures, alarms: Arc::new(Meter::new(ALARMS)) };
    Router::new().route(WHOP_WEBHOOK, post(whop)).with_state(Endpoint { clock, inbox, whop: door, refusals })
}

/// One line for a person while a flood lasts, once a minute.
const ALARMS: Rate = Rate { burst: NonZeroU32::MIN, each: Duration::from_mins(1) };

/// What becomes of what is not authentic. Every delivery is checked, however many bad ones came from the same address: a
/// check costs little, and behind that address the provider may be as well. Whoever goes on loses only the log's attention
/// and the connection.
#[derive(Clone)]
struct Refusals {
    by_address: Arc<Meter<String>>,
    alarms: Arc<Meter<()>>,
}

impl Refusals {
    fn answer(&self, client: Option<ClientAddress>, rejection: Rejection) -> Response {
        let household = client.map(|client| by_address(client.0)).unwrap_or_default();
        match self.by_address.take(&household) {
            Ok(_) => {
                tracing::warn!(reason = rejection.as_str(), "webhook rejected");
                (StatusCode::UNAUTHORIZED, "not authentic\n").into_response()
            }
            Err(empty) => {
                if self.alarms.take(&()).is_ok() {
                    tracing::error!(
                        reason = rejection.as_str(),
                        "one address keeps sending webhooks that are not authentic"
                    );
                }
                let headers =
                    [(header::RETRY_AFTER, empty.seconds.to_string()), (header::CONNECTION, "close".to_owned())];
                (StatusCode::TOO_MANY_REQUESTS, headers, "not authentic\n").into_response()
            }
        }
    }
}

/// 401 not authentic, 429 that too often; 415 encoded; 400 authentic but no event; 503 could not be stored, or Whop is not set up yet; 200 for everything else, what
/// is unknown, quarantined or seen before included: sending it again would not help.
async fn whop(
    State(endpoint): State<Endpoint>,
    client: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if headers.contains_key(header::CONTENT_ENCODING) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let Some(set_up) = endpoint.whop.get() else { return not_stored() };
    let now = endpoint.clock.now().unix_timestamp();
    let verified = match set_up.secrets.verify(&headers, body, now) {
        Ok(verified) => verified,
        Err(rejection) => return endpoint.refusals.answer(client.map(|Extension(client)| client), rejection),
    };
    if verified.secret_used() == SecretUsed::Previous {
        // Who sees this a day after a rotation has forgotten a sender.
        tracing::warn!(event.id = verified.id(), "webhook signed with the previous secret");
    }
    let event = match set_up.provider.read_event(verified.body()) {
        Ok(event) => event,
        Err(not_an_event) => {
            tracing::error!(event.id = verified.id(), reason = %not_an_event, "an authentic webhook can't be read");
            return (StatusCode::BAD_REQUEST, "not an event\n").into_response();
        }
    };
    let (id, kind) = (verified.id().to_owned(), event.kind.clone());
    match endpoint.inbox.submit(Delivery { provider: set_up.provider.name(), verified, event }).await {
        Ok(received) => {
            // They stand in the line that says how the request was answered.
            Span::current().record("event.id", id).record("event.kind", kind).record("outcome", word(&received));
            (StatusCode::OK, "stored\n").into_response()
        }
        Err(error) => {
            tracing::error!(event.id = id, event.kind = kind, error = ?error, "a webhook could not be stored");
            not_stored()
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
fn not_stored() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, RETRY_AFTER_SECONDS)], "not stored, send it again\n")
        .into_response()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::meter::Meters;

    #[test]
    fn t01_an_address_that_goes_on_is_turned_away_and_others_are_not() {
        let meters = Meters::new(Rate::a_second(NonZeroU32::MIN));
        let refusals = Refusals { by_address: meters.bad_signatures, alarms: Arc::new(Meter::new(ALARMS)) };
        let refuse = |address: &str| {
            let client = ClientAddress(address.parse().unwrap());
            refusals.answer(Some(client), Rejection::Signature)
        };
        for _ in 0..20 {
            assert_eq!(refuse("192.0.2.1").status(), StatusCode::UNAUTHORIZED);
        }
        let turned_away = refuse("192.0.2.1");
        assert_eq!(turned_away.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(turned_away.headers()[header::CONNECTION], "close");
        assert_eq!(refuse("192.0.2.2").status(), StatusCode::UNAUTHORIZED);
    }
}
