//! A form whose fields are missing or can't be read. Leptos calls that a failure of ours (500), and to a browser it answers with
//! a redirect that carries its words; here it is told to whoever sent it, as their mistake.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::StatusCode;
use leptos::server_fn::error::SERVER_FN_ERROR_HEADER;

use super::refuse;

/// Actions answer whatever they decide themselves; this header is left to what never came to one.
pub async fn tell(request: Request, next: Next) -> Response {
    let asked_with = request.headers().clone();
    let answer = next.run(request).await;
    if answer.headers().contains_key(SERVER_FN_ERROR_HEADER) {
        return refuse(&asked_with, StatusCode::BAD_REQUEST, "This form is incomplete. Go back and try again.");
    }
    answer
}
