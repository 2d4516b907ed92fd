//! A form that was sent too often is answered with its own page under the status that says so. A redirect would hide the
//! status, and the page behind it would say that all is well.

use app::request::ClientAddress;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use tower::ServiceExt as _;
use tower_sessions::Session;

/// What the page is drawn by, of what came with the form.
const KEPT: [HeaderName; 4] =
    [header::COOKIE, header::ACCEPT, header::ACCEPT_LANGUAGE, HeaderName::from_static("x-request-id")];

/// `pages` draws what the answer points at. It is to be inside the session layer, as this is.
pub async fn at_once(State(pages): State<Router>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let (headers, session) = (request.headers().clone(), request.extensions().get::<Session>().cloned());
    let client = request.extensions().get::<ClientAddress>().copied();
    let answer = next.run(request).await;
    if answer.status() != StatusCode::TOO_MANY_REQUESTS {
        return answer;
    }
    let place = answer.headers().get(header::LOCATION).and_then(|place| place.to_str().ok());
    let Some(page) = place.and_then(|place| page(place, &headers, session, client)) else { return answer };
    let Ok(mut drawn) = pages.oneshot(page).await;
    *drawn.status_mut() = answer.status();
    if let Some(wait) = answer.headers().get(header::RETRY_AFTER) {
        drawn.headers_mut().insert(header::RETRY_AFTER, wait.clone());
    }
    drawn
}

/// A request for one of our pages, from the visitor who sent another one.
pub fn page(
    place: &str,
    asked_with: &HeaderMap,
    session: Option<Session>,
    client: Option<ClientAddress>,
) -> Option<Request> {
    let mut page = Request::get(Some(place).filter(|place| place.starts_with('/'))?).body(Body::empty()).ok()?;
    for name in KEPT {
        for value in asked_with.get_all(&name) {
            page.headers_mut().append(name.clone(), value.clone());
        }
    }
    if let Some(session) = session {
        page.extensions_mut().insert(session);
    }
    if let Some(client) = client {
        page.extensions_mut().insert(client);
    }
    Some(page)
}
