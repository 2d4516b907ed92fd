//! `GET /embed/credits`: framed by Whop, and by nobody else. A cookie means nothing here: who looks is said by Whop's token, in
//! each request anew (T56).

use std::sync::Arc;

use app::embed::{POLICY, Shown, document};
use atlas::Context;
use atlas::people::{self, elsewhere};
use atlas::plans::shelf::Shelf;
use atlas::providers::whop::user_token::{UserTokens, WhopUser};
use axum::extract::State;
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Router};
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use http::{HeaderMap, HeaderName, StatusCode};
use leptos::config::LeptosOptions;

use crate::layers::headers::Framed;

pub const CREDITS: &str = "/embed/credits";
const TOKEN: HeaderName = HeaderName::from_static("x-whop-user-token");

#[derive(Clone)]
pub struct Frame {
    pub ctx: Context,
    pub shelf: Shelf,
    pub leptos: Arc<LeptosOptions>,
    pub tokens: UserTokens,
    /// Under which name Whop's accounts are known here.
    pub issuer: String,
}

pub fn routes(frame: Frame) -> Router {
    Router::new().route(CREDITS, get(credits)).with_state(frame)
}

/// 401 without a good token; what is shown to whom has it never changes anything.
async fn credits(State(frame): State<Frame>, headers: HeaderMap) -> Response {
    let (status, shown) = match visitor(&frame, &headers) {
        None => (StatusCode::UNAUTHORIZED, Shown::Stranger),
        Some(user) => match look_up(&frame, &user).await {
            Ok(shown) => (StatusCode::OK, shown),
            Err(error) => {
                tracing::error!(error = ?error, "the frame in Whop could not be drawn");
                (StatusCode::SERVICE_UNAVAILABLE, Shown::Unavailable)
            }
        },
    };
    let page = document(&frame.leptos, &frame.ctx.public_url, shown);
    let headers = [(CONTENT_SECURITY_POLICY, POLICY), (REFERRER_POLICY, "no-referrer")];
    (status, Extension(Framed), headers, Html(page)).into_response()
}

/// Exactly one token, and a good one.
fn visitor(frame: &Frame, headers: &HeaderMap) -> Option<WhopUser> {
    let mut said = headers.get_all(&TOKEN).iter();
    let (Some(token), None) = (said.next(), said.next()) else { return None };
    let verified = frame.tokens.verify(token.to_str().ok()?, frame.ctx.now());
    if let Err(reason) = &verified {
        tracing::info!(%reason, "embed.refused");
    }
    verified.ok()
}

async fn look_up(frame: &Frame, user: &WhopUser) -> atlas::Result<Shown> {
    let db = &frame.ctx.db;
    let Some(person) = elsewhere::person_of(db, &frame.issuer, user.subject()).await? else {
        return Ok(Shown::Unlinked);
    };
    let Some(person) = people::load(db, person).await? else { return Ok(Shown::Unlinked) };
    Ok(Shown::Person { balance: person.balance(), shelf: frame.shelf.look(db).await? })
}

#[cfg(test)]
pub mod tests;
