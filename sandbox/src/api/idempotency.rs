//! `Idempotency-Key`: the first answer to a POST is kept for 24 hours and given again, byte for byte, to the same request.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::auth::Caller;
use super::body::BODY_BYTES_MAX;
use super::error::ApiError;
use super::version;
use crate::clock::Moment;
use crate::sandbox::Sandbox;
use crate::tasks;
use crate::world::{Record, World};

const KEPT_FOR: Duration = Duration::from_hours(24);
const KEY_BYTES_MAX: usize = 255;

/// What a key has led to. Without an answer the first request is still running, or its outcome was lost in a crash; either
/// way the key is in use until its day is over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredAnswer {
    pub key: String,
    fingerprint: String,
    answer: Option<Answer>,
    created_at: Moment,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Answer {
    status: u16,
    body: String,
}

impl Record for StoredAnswer {
    const KIND: &'static str = "answer";

    fn id(&self) -> &str {
        &self.key
    }

    fn created_at(&self) -> Moment {
        self.created_at
    }
}

/// What to do with a request that carries a key.
enum Standing {
    /// It is the first: do it.
    First,
    Replay(Answer),
    Refuse(ApiError),
}

/// Applies the table to every authenticated POST with a key.
pub async fn layer(State(sandbox): State<Sandbox>, request: Request, next: Next) -> Response {
    let known = request.extensions().get::<Caller>().is_some_and(|caller| caller.is_known());
    let key = request.headers().get("idempotency-key").map(|key| key.as_bytes().to_vec());
    let Some(key) = key.filter(|_| known && request.method() == Method::POST) else {
        return next.run(request).await;
    };
    let Some(key) = String::from_utf8(key).ok().filter(|key| !key.is_empty() && key.len() <= KEY_BYTES_MAX) else {
        return ApiError::bad("Idempotency-Key must have 1 to 255 characters").into_response();
    };
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return ApiError::bad("The request body could not be read or is too large").into_response();
    };
    let date = parts.headers.get(version::HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
    let fingerprint = fingerprint(&[parts.uri.to_string().as_bytes(), date, &body]);
    match sandbox.change(|world| look_up(world, &key, &fingerprint)) {
        Standing::Replay(answer) => replayed(answer),
        Standing::Refuse(error) => error.into_response(),
        Standing::First => {
            // In a task of its own: a caller that hangs up must not stop what it began.
            let work = next.run(Request::from_parts(parts, Body::from(body)));
            let task = tasks::spawn(async move { finish(&sandbox, &key, work.await).await });
            task.await.unwrap_or_else(|_| ApiError::server("The request ended unexpectedly").into_response())
        }
    }
}

fn look_up(world: &mut World, key: &str, fingerprint: &str) -> Standing {
    let now = Moment::now();
    let known = world.answers.get(key).filter(|stored| now.since(stored.created_at) < KEPT_FOR);
    match known {
        None => {
            let (key, fingerprint) = (key.to_owned(), fingerprint.to_owned());
            world.answers.put(StoredAnswer { key, fingerprint, answer: None, created_at: now });
            Standing::First
        }
        Some(stored) if stored.fingerprint != fingerprint => {
            Standing::Refuse(ApiError::bad("This Idempotency-Key was already used with a different request"))
        }
        Some(StoredAnswer { answer: Some(answer), .. }) => Standing::Replay(answer.clone()),
        Some(_) => Standing::Refuse(ApiError::conflict(
            "conflict",
            "A request with this Idempotency-Key is still being processed",
        )),
    }
}

/// Keeps the answer before it goes out.
async fn finish(sandbox: &Sandbox, key: &str, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return ApiError::server("The answer could not be read").into_response();
    };
    let answer = Answer { status: parts.status.as_u16(), body: String::from_utf8_lossy(&bytes).into_owned() };
    sandbox.change(|world| {
        if let Some(stored) = world.answers.edit(key) {
            stored.answer = Some(answer);
        }
    });
    Response::from_parts(parts, Body::from(bytes))
}

fn replayed(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let headers = [(header::CONTENT_TYPE.as_str(), "application/json"), ("idempotent-replayed", "true")];
    (status, headers, answer.body).into_response()
}

/// Parts are hashed with their lengths, so that none can pass for the end of another.
fn fingerprint(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    STANDARD.encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::sync::Arc;

    use clap::Parser as _;

    use super::*;
    use crate::options::Options;

    fn world() -> World {
        let options = Options::try_parse_from(["sandbox"]).unwrap();
        World::new(Arc::new(options.settings(options.listen)))
    }

    #[test]
    fn a_key_in_use_is_a_conflict_until_its_day_is_over() {
        let mut world = world();
        assert!(matches!(look_up(&mut world, "key", "one"), Standing::First));
        let Standing::Refuse(error) = look_up(&mut world, "key", "one") else { panic!("still running") };
        assert_eq!(error.status, StatusCode::CONFLICT);
        let Standing::Refuse(error) = look_up(&mut world, "key", "two") else { panic!("another request") };
        assert_eq!(error.status, StatusCode::BAD_REQUEST);
        let stored = world.answers.edit("key").unwrap();
        stored.created_at = Moment::parse("2020-01-01T00:00:00Z").unwrap();
        assert!(matches!(look_up(&mut world, "key", "two"), Standing::First));
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"a", b"bc"]));
    }
}
