//! Is the process alive, and can it do its work? For load balancers and supervisors.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing::get};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use sqlx::PgPool;

pub fn routes(db: PgPool) -> Router {
    Router::new().route("/healthz", get(alive)).route("/readyz", get(ready)).with_state(db)
}

async fn alive() -> Response {
    answer(StatusCode::OK, json!({ "status": "alive" }))
}

async fn ready(State(db): State<PgPool>) -> Response {
    let known: Vec<i64> = atlas::MIGRATOR.iter().map(|migration| migration.version).collect();
    let applied: Result<i64, _> =
        sqlx::query_scalar("select count(*) from _sqlx_migrations where success and version = any($1)")
            .bind(&known)
            .fetch_one(&db)
            .await;
    match applied {
        Ok(count) if usize::try_from(count).is_ok_and(|count| count == known.len()) => {
            answer(StatusCode::OK, json!({ "status": "ready", "database": "reached", "migrations": "applied" }))
        }
        Ok(_) => answer(
            StatusCode::SERVICE_UNAVAILABLE,
            json!({ "status": "not ready", "database": "reached", "migrations": "missing" }),
        ),
        Err(error) => {
            tracing::warn!(%error, "not ready: the database can't be reached");
            answer(StatusCode::SERVICE_UNAVAILABLE, json!({ "status": "not ready", "database": "unreachable" }))
        }
    }
}

fn answer(status: StatusCode, body: serde_json::Value) -> Response {
    (status, [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use axum::body::Body;
    use http::Request;
    use tower::ServiceExt as _;

    async fn status_of(db: &PgPool, path: &str) -> StatusCode {
        let request = Request::get(path).body(Body::empty()).unwrap();
        routes(db.clone()).oneshot(request).await.unwrap().status()
    }

    #[sqlx::test(migrator = "atlas::MIGRATOR")]
    async fn ready_means_reached_and_migrated(pool: PgPool) {
        assert_eq!(status_of(&pool, "/readyz").await, StatusCode::OK);
        sqlx::query("delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)")
            .execute(&pool)
            .await
            .unwrap();
        assert_eq!(status_of(&pool, "/readyz").await, StatusCode::SERVICE_UNAVAILABLE);
        pool.close().await;
        assert_eq!(status_of(&pool, "/readyz").await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(status_of(&pool, "/healthz").await, StatusCode::OK);
    }
}
