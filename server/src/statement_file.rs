//! `GET /transactions.csv`: the statement as a file, streamed page by page.

use app::days;
use atlas::Context;
use atlas::ledger::statement::csv::{HEADER, piece};
use atlas::ledger::statement::{Direction, Filter};
use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use domain::PersonId;
use domain::paths::{SIGN_IN, TRANSACTIONS, TRANSACTIONS_CSV, with_next};
use http::{StatusCode, header};
use serde::Deserialize;
use tower_sessions::Session;

use crate::session::PERSON;

pub fn routes(ctx: Context) -> Router {
    Router::new().route(TRANSACTIONS_CSV, get(file)).with_state(ctx)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    direction: String,
    from: String,
    to: String,
}

async fn file(State(ctx): State<Context>, session: Session, Query(asked): Query<Asked>) -> Response {
    let owner = match session.get::<PersonId>(PERSON).await {
        Ok(Some(owner)) => owner,
        Ok(None) => return Redirect::to(&with_next(SIGN_IN, TRANSACTIONS)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a session could not be read");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    let filter = Filter {
        direction: Direction::parse(&asked.direction),
        from: days::typed(&asked.from),
        to: days::typed(&asked.to),
    };
    // The first piece is read before the answer begins, so that a database that is away is said as a status.
    let first = match piece(&ctx.db, owner, filter, None).await {
        Ok(first) => first,
        Err(error) => {
            tracing::error!(error = ?error, "a statement could not be read");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    let rest = futures::stream::try_unfold(first.1, move |before| {
        let db = ctx.db.clone();
        async move {
            let Some(before) = before else { return Ok(None) };
            piece(&db, owner, filter, Some(before)).await.map(Some)
        }
    });
    let start = futures::stream::once(async move { Ok::<_, atlas::Error>(format!("{HEADER}{}", first.0)) });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"atlas-credits.csv\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::from_stream(futures::StreamExt::chain(start, rest))).into_response()
}
