//! `GET /admin/orders.csv`: the orders that were chosen, as a file, streamed piece by piece.

use app::days;
use app::request::{ClientAddress, PERSON_KEY};
use atlas::audit::Origin;
use atlas::orders::desk::{Search, Sort, Wanted};
use atlas::orders::export::{self, HEADER};
use atlas::people::roles::Finance;
use atlas::people::{self, sessions};
use atlas::{Context, Error};
use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use domain::PersonId;
use domain::paths::ADMIN_ORDERS_CSV;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use tower_sessions::Session;

use crate::layers;

pub fn routes(ctx: Context) -> Router {
    Router::new().route(ADMIN_ORDERS_CSV, get(file)).with_state(ctx)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    state: String,
    provider: String,
    plan: String,
    from: String,
    to: String,
    sort: String,
    q: String,
}

impl Asked {
    /// As the page reads it: a value that doesn't read is as good as none.
    fn wanted(&self) -> Wanted {
        Wanted {
            state: self.state.parse().ok(),
            provider: self.provider.parse().ok(),
            plan: self.plan.parse().ok(),
            from: days::typed(&self.from),
            to: days::typed(&self.to),
            search: Search::parse(&self.q.replace('\0', " ")),
            sort: Sort::parse(&self.sort),
        }
    }
}

async fn file(
    State(ctx): State<Context>,
    session: Session,
    client: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Response {
    let origin = Origin {
        session: session.id().map(|id| sessions::id_hash(id.0)),
        address: client.map(|Extension(client)| client.0),
        request: headers.get("x-request-id").and_then(|id| id.to_str().ok()).map(ToOwned::to_owned),
    };
    match begin(ctx, &session, &origin, asked.wanted()).await {
        Ok(answer) => answer,
        Err(Error::NotFound) => layers::refuse(&headers, StatusCode::NOT_FOUND, "There is nothing here."),
        Err(error) => {
            tracing::error!(error = ?error, "orders could not be exported");
            let sentence = "The orders can’t be read just now. Please try again in a minute.";
            layers::refuse(&headers, StatusCode::SERVICE_UNAVAILABLE, sentence)
        }
    }
}

/// The first piece is read before the answer begins, so that a database that is away is said as a status; and that somebody
/// took the orders along is written down before the first byte leaves.
async fn begin(ctx: Context, session: &Session, origin: &Origin, wanted: Wanted) -> atlas::Result<Response> {
    let id = session.get::<PersonId>(PERSON_KEY).await.map_err(Error::unavailable)?.ok_or(Error::NotFound)?;
    let finance = Finance::prove(people::load(&ctx.db, id).await?.ok_or(Error::NotFound)?)?;
    export::begin(&ctx, &finance, origin, &wanted).await?;
    let (text, next) = export::piece(&ctx.db, &finance, &wanted, None).await?;
    let rest = futures::stream::try_unfold(next, move |after| {
        let (db, finance, wanted) = (ctx.db.clone(), finance.clone(), wanted.clone());
        async move {
            let Some(after) = after else { return Ok(None) };
            export::piece(&db, &finance, &wanted, Some(after)).await.map(Some)
        }
    });
    let start = futures::stream::once(async move { Ok::<_, Error>(format!("{HEADER}{text}")) });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"atlas-orders.csv\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::from_stream(futures::StreamExt::chain(start, rest))).into_response())
}
