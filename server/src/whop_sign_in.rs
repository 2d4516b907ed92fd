//! Signing in with Whop: the way out, the way back, and what programs of ours ask about a session that was begun that way.

use std::sync::Arc;

use app::flash::{self, Flash};
use app::request::{ClientAddress, Request, Site};
use atlas::people::grants::refresh::{NoAccess, access};
use atlas::people::grants::{self, Why};
use atlas::people::oauth::Purpose;
use atlas::people::oauth::begin::{Asking, begin};
use atlas::people::oauth::finish::{Back, Done, Finished, Rejected, finish};
use atlas::providers::whop::oauth::{Oauth, OauthError};
use atlas::{Error, Result};
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use domain::paths;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use tower::ServiceExt as _;
use tower_sessions::Session;
use utoipa::ToSchema;

use crate::api::shapes::{Declined, Instant};
use crate::layers::refusal::refuse;
use crate::redraw;

const NOT_SET_UP: &str = "Nobody can sign in with Whop here. Sign in with your email and password.";
const NOT_NOW: &str = "This does not work just now. Please try again in a minute.";
const TOO_OFTEN: &str = "That was too often. Please try again in a minute.";
const SIGN_IN_AGAIN: &str = "You are not signed in with Whop, or not any more. Sign in again.";

/// A session that Whop stands behind.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WhopStanding)]
pub struct Standing {
    signed_in: bool,
    /// Who it is at Whop.
    subject: String,
    expires_at: Instant,
}

/// How long the session's access token lasts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WhopAccess)]
pub struct Ends {
    expires_at: Instant,
}

/// What these routes work with: the site, and its pages, to show one of them.
#[derive(Clone)]
pub struct Door {
    site: Arc<Site>,
    pages: Router,
}

/// To be put inside the session layer.
pub fn routes(site: Arc<Site>, pages: Router) -> Router {
    Router::new()
        .route(paths::WHOP_AUTH, get(auth))
        .route(paths::WHOP_CALLBACK, get(callback))
        .route(paths::WHOP_VERIFY, get(verify))
        .route(paths::WHOP_REFRESH, post(refresh))
        .with_state(Door { site, pages })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    next: String,
}

/// Out to Whop. It changes nothing but what this browser has under way; so a link may lead here.
async fn auth(State(door): State<Door>, Query(asked): Query<Asked>, parts: Parts) -> Response {
    let Some(oauth) = &door.site.ctx.whop_oauth else {
        return refuse(&parts.headers, StatusCode::NOT_FOUND, NOT_SET_UP);
    };
    let request = Request::of(&door.site, Some(&parts));
    let next = app::actions::session::next_path(&asked.next);
    match begin(request.ctx(), oauth, Asking::SignIn, &next, request.address()).await {
        Ok(begun) => with_cookies(Redirect::to(&begun.url), &[request.oauth_cookie(Some(&begun.handle))]),
        Err(error) => failed(&parts, &error),
    }
}

/// Back from Whop. Whatever came, the browser's part of the attempt is taken away.
async fn callback(State(door): State<Door>, parts: Parts) -> Response {
    let Some(oauth) = &door.site.ctx.whop_oauth else {
        return refuse(&parts.headers, StatusCode::NOT_FOUND, NOT_SET_UP);
    };
    let request = Request::of(&door.site, Some(&parts));
    let answered = match come_back(&request, oauth, &parts).await {
        Ok(done) => match go_on(&request, done).await {
            Ok(answer) => answer,
            Err(error) => failed(&parts, &error),
        },
        Err(Rejected::Failed(error)) => failed(&parts, &error),
        Err(Rejected::Because(reason)) => {
            tracing::warn!(reason, "oauth.rejected");
            rejected(&door, &parts).await
        }
    };
    let mut answer = with_cookies(answered, &[request.oauth_cookie(None)]);
    // The address held a code; it is used up, but nobody's business all the same (ASVS 14.2.1).
    answer.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    answer
}

async fn come_back(request: &Request, oauth: &Oauth, parts: &Parts) -> Result<Done, Rejected> {
    let asker = match request.person().await? {
        Some(person) => Some((person, request.session_hash()?)),
        None => None,
    };
    let back = Back {
        query: parts.uri.query().unwrap_or_default().to_owned(),
        handle: request.oauth_handle().cloned(),
        asker,
        address: request.address(),
        origin: request.origin(),
    };
    finish(request.ctx(), oauth, back).await
}

/// On to where the attempt was to lead, or back to where it began, with a word about why.
async fn go_on(request: &Request, done: Done) -> Result<Response> {
    let Done { purpose, return_to, outcome } = done;
    match outcome {
        Ok(Finished::SignedIn { person, grant }) => {
            request.begin_session_with(&person, Some(grant)).await?;
            let device = request.device_cookie(&person).await?;
            Ok(with_cookies(Redirect::to(&return_to), &[device]))
        }
        Ok(Finished::Half(half)) => {
            request.begin_half(half).await?;
            Ok(Redirect::to(&paths::with_next(paths::SIGN_IN_CODE, &return_to)).into_response())
        }
        Ok(Finished::Linked) => {
            flash::leave(request, Flash::Done("From now on you can sign in with Whop.".to_owned())).await?;
            Ok(Redirect::to(&return_to).into_response())
        }
        Ok(Finished::Confirmed(person)) => {
            request.note_confirmed(&person).await?;
            Ok(Redirect::to(&return_to).into_response())
        }
        Err(Error::Refused(refusal)) => {
            flash::leave(request, Flash::Refused(refusal.to_string())).await?;
            let began_at = match purpose {
                Purpose::SignIn if return_to == paths::CREDITS => paths::SIGN_IN.to_owned(),
                Purpose::SignIn => paths::with_next(paths::SIGN_IN, &return_to),
                Purpose::Link => return_to,
                Purpose::Confirm => paths::confirm(&return_to),
            };
            Ok(Redirect::to(&began_at).into_response())
        }
        Err(error) => Err(error),
    }
}

/// The same page for everything that is no answer to us: whoever forges one learns nothing.
async fn rejected(door: &Door, parts: &Parts) -> Response {
    let session = parts.extensions.get::<Session>().cloned();
    let client = parts.extensions.get::<ClientAddress>().copied();
    let Some(page) = redraw::page(paths::SIGN_IN_REFUSED, &parts.headers, session, client) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let Ok(drawn) = door.pages.clone().oneshot(page).await;
    drawn
}

/// Whether Whop still stands behind this session.
#[utoipa::path(get, path = "/api/whop/verify", tag = "Signing in with Whop", security(("session" = [])),
    responses((status = 200, body = Standing), Declined))]
pub async fn verify(State(door): State<Door>, parts: Parts) -> Response {
    let Some(oauth) = &door.site.ctx.whop_oauth else {
        return refuse(&parts.headers, StatusCode::NOT_FOUND, NOT_SET_UP);
    };
    said(&parts, stands(&Request::of(&door.site, Some(&parts)), oauth).await)
}

async fn stands(request: &Request, oauth: &Oauth) -> Result<Standing, NoAccess> {
    let (grant, access) = granted(request, oauth).await?;
    match oauth.user_info(&access.token).await {
        Ok(info) => Ok(Standing { signed_in: true, subject: info.subject, expires_at: Instant(access.ends_at) }),
        Err(OauthError::Gone) => {
            grants::end(request.ctx(), grant, Why::Refused).await?;
            Err(NoAccess::SignInAgain)
        }
        Err(error) => Err(Error::unavailable(error).into()),
    }
}

/// Renews the session's access token if it ends soon, and says when it does.
#[utoipa::path(post, path = "/api/whop/refresh", tag = "Signing in with Whop", security(("session" = [])),
    responses((status = 200, body = Ends), Declined))]
pub async fn refresh(State(door): State<Door>, parts: Parts) -> Response {
    let Some(oauth) = &door.site.ctx.whop_oauth else {
        return refuse(&parts.headers, StatusCode::NOT_FOUND, NOT_SET_UP);
    };
    let given = granted(&Request::of(&door.site, Some(&parts)), oauth).await;
    said(&parts, given.map(|(_, access)| Ends { expires_at: Instant(access.ends_at) }))
}

fn said(parts: &Parts, answer: Result<impl Serialize, NoAccess>) -> Response {
    match answer {
        Ok(answer) => Json(answer).into_response(),
        Err(NoAccess::SignInAgain) => refuse(&parts.headers, StatusCode::UNAUTHORIZED, SIGN_IN_AGAIN),
        Err(NoAccess::Failed(error)) => failed(parts, &error),
    }
}

async fn granted(request: &Request, oauth: &Oauth) -> Result<(uuid::Uuid, grants::refresh::Access), NoAccess> {
    let (Some(person), Some(grant)) = (request.person().await?, request.grant().await?) else {
        return Err(NoAccess::SignInAgain);
    };
    let limits = &atlas::limits::GRANT_BY_PERSON;
    atlas::limits::take(request.ctx(), limits, &person.id().to_string()).await?;
    Ok((grant, access(request.ctx(), oauth, grant).await?))
}

fn failed(parts: &Parts, error: &Error) -> Response {
    if let Error::Refused(refusal) = error {
        let mut answer = refuse(&parts.headers, StatusCode::TOO_MANY_REQUESTS, TOO_OFTEN);
        let wait = refusal.retry_after().unwrap_or(60);
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
        return answer;
    }
    tracing::error!(error = ?error, "signing in with Whop failed");
    let mut answer = refuse(&parts.headers, StatusCode::SERVICE_UNAVAILABLE, NOT_NOW);
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    answer
}

fn with_cookies(answer: impl axum::response::IntoResponse, cookies: &[String]) -> Response {
    let mut answer = answer.into_response();
    for cookie in cookies {
        if let Ok(cookie) = HeaderValue::from_str(cookie) {
            answer.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    answer.headers_mut().insert(HeaderName::from_static("cache-control"), HeaderValue::from_static("no-store"));
    answer
}
