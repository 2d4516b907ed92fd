//! `POST /account/export`: everything that is kept about a person, as a file for that person.

use app::request::{ClientAddress, PERSON_KEY};
use atlas::audit::Origin;
use atlas::people::export::{self, Form};
use atlas::people::{self, SignedIn, sessions};
use atlas::{Context, Error};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Form as Typed, RequestExt as _, Router};
use domain::PersonId;
use domain::paths::{ACCOUNT_EXPORT, SIGN_IN};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use tower_sessions::Session;

use crate::layers;

pub fn routes(ctx: Context) -> Router {
    Router::new().route(ACCOUNT_EXPORT, post(file)).with_state(ctx)
}

#[derive(Deserialize)]
struct Asked {
    form: String,
}

async fn file(State(ctx): State<Context>, session: Session, headers: HeaderMap, request: Request) -> Response {
    let client = request.extensions().get::<ClientAddress>().map(|client| client.0);
    let form = match request.extract::<Typed<Asked>, _>().await {
        Ok(Typed(asked)) if asked.form == Form::Csv.as_str() => Form::Csv,
        Ok(Typed(asked)) if asked.form == Form::Json.as_str() => Form::Json,
        _ => {
            return layers::refuse(
                &headers,
                StatusCode::BAD_REQUEST,
                "This form is incomplete. Go back and try again.",
            );
        }
    };
    let origin = Origin {
        session: session.id().map(|id| sessions::id_hash(id.0)),
        address: client,
        request: headers.get("x-request-id").and_then(|id| id.to_str().ok()).map(ToOwned::to_owned),
    };
    match gather(&ctx, &session, form, &origin).await {
        Ok(Some((text, kind))) => (
            [
                (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
                (header::CONTENT_DISPOSITION, attachment(form)),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ],
            text,
        )
            .into_response(),
        Ok(None) => axum::response::Redirect::to(SIGN_IN).into_response(),
        Err(Error::Refused(refusal)) => {
            let sentence = "You have had five exports within an hour. Please come back a little later.";
            let mut answer = layers::refuse(&headers, StatusCode::TOO_MANY_REQUESTS, sentence);
            answer.headers_mut().insert(header::RETRY_AFTER, refusal.retry_after().unwrap_or(60).into());
            answer
        }
        Err(error) => {
            tracing::error!(error = ?error, "a person's data could not be gathered");
            let sentence = "Your data can’t be gathered just now. Please try again in a minute.";
            layers::refuse(&headers, StatusCode::SERVICE_UNAVAILABLE, sentence)
        }
    }
}

/// None: nobody is signed in.
async fn gather(
    ctx: &Context,
    session: &Session,
    form: Form,
    origin: &Origin,
) -> atlas::Result<Option<(String, &'static str)>> {
    let Some(id) = session.get::<PersonId>(PERSON_KEY).await.map_err(Error::unavailable)? else { return Ok(None) };
    let Some(person): Option<SignedIn> = people::load(&ctx.db, id).await? else { return Ok(None) };
    let gathered = export::export(ctx, &person, form, origin).await?;
    Ok(Some(match form {
        Form::Json => (serde_json::to_string_pretty(&gathered).map_err(Error::broken)?, "application/json"),
        Form::Csv => (gathered.csv(), "text/csv; charset=utf-8"),
    }))
}

fn attachment(form: Form) -> HeaderValue {
    match form {
        Form::Json => HeaderValue::from_static("attachment; filename=\"atlas-my-data.json\""),
        Form::Csv => HeaderValue::from_static("attachment; filename=\"atlas-my-data.csv\""),
    }
}
