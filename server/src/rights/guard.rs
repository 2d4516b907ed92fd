//! Asks everybody at the door for what the table of rights demands, and turns away who hasn't got it.

use std::sync::Arc;

use app::request::{ClientAddress, NotWhileViewing, PERSON_KEY};
use atlas::audit::{self, About, By, Origin, What, Who};
use atlas::limits::{self, REFUSALS_BY_PERSON};
use atlas::people::{SignedIn, Visitor, sessions};
use atlas::{Context, Error};
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::{PersonId, paths};
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderMap, Method, StatusCode, Uri};
use tower::ServiceExt as _;
use tower_sessions::Session;

use super::{Door, Kind, Need, WhileViewing};
use crate::layers;

/// Cheap to clone, as all that stands in the way of each request has to be: every layer's copy is copied with it.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    ctx: Context,
    /// Draws the page for what isn't there.
    pages: Router,
}

impl Guard {
    pub fn new(ctx: Context, pages: Router) -> Self {
        Self(Arc::new(Inner { ctx, pages }))
    }
}

/// To be outside every route, and inside the session layer where a door needs a session.
pub async fn ask(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map(MatchedPath::as_str);
    let Some(door) = super::of(route, request.uri().path()) else {
        tracing::error!(route, "this route stands in no table of rights, so it is not served");
        return guard.nothing_here(request).await;
    };
    let visitor = match guard.who(door.need, request.extensions().get::<Session>().cloned()).await {
        Ok(visitor) => visitor,
        // Everybody's pages say themselves what is wrong.
        Err(_) if door.need == Need::Nobody && reads(&request) => return next.run(request).await,
        Err(error) => {
            tracing::error!(error = ?error, "it can't be said who asks");
            let sentence = "We can’t tell just now who you are. Please try again in a minute.";
            return layers::refuse(request.headers(), StatusCode::SERVICE_UNAVAILABLE, sentence);
        }
    };
    if matches!(visitor, Visitor::Viewing(_) | Visitor::DoneViewing(_)) {
        return guard.while_viewing(door, visitor, request, next).await;
    }
    // What a form's address does not take is for the router to say.
    let takes_nothing = door.kind == Kind::Form && request.method() != Method::POST;
    let need = door.need_of(request.method());
    match (need, visitor) {
        _ if takes_nothing => next.run(request).await,
        // A key is proved to the handler as well; beside it no cookie counts.
        _ if door.key.is_some() && super::is_safe(request.method()) && brings_a_key(&request) => {
            next.run(request).await
        }
        // Keys and signatures are proved to the handlers, which can't act without: `ApiCaller`, `VerifiedDelivery`.
        (Need::Nobody | Need::Key(_) | Need::Signature, _) => next.run(request).await,
        (Need::SignedIn | Need::SettingUp | Need::Fresh | Need::Of(_), Visitor::Person(person))
            if may(&person, need) =>
        {
            // Whoever draws the page need not look again.
            request.extensions_mut().insert(Visitor::Person(person));
            next.run(request).await
        }
        (Need::SettingUp, Visitor::SettingUp(person)) => {
            request.extensions_mut().insert(Visitor::SettingUp(person));
            next.run(request).await
        }
        (_, visitor) => guard.refuse(door, visitor, request).await,
    }
}

fn reads(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

fn brings_a_key(request: &Request) -> bool {
    request.headers().contains_key(AUTHORIZATION)
}

fn may(person: &SignedIn, need: Need) -> bool {
    match need {
        Need::Of(role) => person.role() >= role,
        _ => true,
    }
}

impl Guard {
    /// Person and role are read from the database each time, so that what was taken away bites at once; also where a door needs
    /// nobody, for whoever looks at somebody's pages may not go through every one of those.
    async fn who(&self, need: Need, session: Option<Session>) -> atlas::Result<Visitor> {
        let Some(session) = session else {
            return match need {
                Need::Nobody | Need::Key(_) | Need::Signature => Ok(Visitor::Nobody),
                Need::SignedIn | Need::SettingUp | Need::Fresh | Need::Of(_) => {
                    Err(Error::broken("no session at this door"))
                }
            };
        };
        let person: Option<PersonId> = session.get(PERSON_KEY).await.map_err(Error::unavailable)?;
        let Some((person, id)) = person.zip(session.id()) else { return Ok(Visitor::Nobody) };
        Visitor::of(&self.0.ctx, person, sessions::id_hash(id.0)).await
    }

    /// Lets in what the table says and nothing else: whoever looks at somebody's pages changes nothing, for them or for oneself.
    async fn while_viewing(&self, door: Door, visitor: Visitor, mut request: Request, next: Next) -> Response {
        match door.while_viewing {
            WhileViewing::Shown if reads(&request) && matches!(visitor, Visitor::Viewing(_)) => {
                request.extensions_mut().insert(visitor);
                return next.run(request).await;
            }
            WhileViewing::Ends if request.method() == Method::POST => return next.run(request).await,
            WhileViewing::Closed | WhileViewing::Shown | WhileViewing::Ends => {}
        }
        tracing::info!(door = door.path, "refused to somebody who looks at another's pages");
        let accepts = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match door.kind {
            Kind::Stream => StatusCode::NOT_FOUND.into_response(),
            _ if accepts.contains("text/html") => {
                request.extensions_mut().insert(visitor);
                request.extensions_mut().insert(NotWhileViewing);
                self.nothing_here(request).await
            }
            _ => {
                let sentence =
                    "You view somebody’s pages and can change nothing. Nothing was changed. Stop viewing first.";
                layers::refuse(request.headers(), StatusCode::FORBIDDEN, sentence)
            }
        }
    }

    async fn refuse(&self, door: Door, visitor: Visitor, request: Request) -> Response {
        let need = door.need_of(request.method());
        if let Need::Of(role) = need {
            tracing::warn!(door = door.path, needs = %role, "authz.denied");
            if let Visitor::Person(person) = &visitor {
                let id = if door.path.is_empty() { request.uri().path() } else { door.path };
                let id: String = id.chars().take(ABOUT_CHARS_MAX).collect();
                self.note(&id, person, &origin(&request)).await;
            }
        }
        match (door.kind, need) {
            // They have to set up their second factor before anything else.
            (Kind::Page | Kind::File | Kind::Form, _) if matches!(visitor, Visitor::SettingUp(_)) => {
                Redirect::to(paths::SECOND_FACTOR).into_response()
            }
            (Kind::Page | Kind::File, Need::SignedIn | Need::SettingUp | Need::Fresh) => {
                sign_in_first(door.kind, request.uri())
            }
            (Kind::Form, Need::SignedIn | Need::SettingUp | Need::Fresh) => {
                Redirect::to(paths::SIGN_IN).into_response()
            }
            (Kind::Page | Kind::File, _) => self.nothing_here(request).await,
            (Kind::Stream, Need::SignedIn) => StatusCode::UNAUTHORIZED.into_response(),
            (Kind::Stream, _) => StatusCode::NOT_FOUND.into_response(),
            (Kind::Api, _) if matches!(visitor, Visitor::Nobody) => {
                let sentence = if brings_a_key(&request) {
                    "A key may not do this: it takes a person who is signed in."
                } else {
                    "You are not signed in. Sign in first."
                };
                layers::refuse(request.headers(), StatusCode::UNAUTHORIZED, sentence)
            }
            (Kind::Form | Kind::Api | Kind::Webhook | Kind::Machine, _) => {
                let sentence = "Your account may not do this. Nothing was changed.";
                layers::refuse(request.headers(), StatusCode::FORBIDDEN, sentence)
            }
        }
    }

    /// The page that everybody sees where nothing is.
    async fn nothing_here(&self, mut request: Request) -> Response {
        *request.uri_mut() = Uri::from_static("/not-here");
        *request.method_mut() = Method::GET;
        let Ok(page) = self.0.pages.clone().oneshot(request).await;
        page
    }

    /// Into the audit, as long as it is not a flood.
    async fn note(&self, door: &str, person: &SignedIn, origin: &Origin) {
        let noted = async {
            if limits::take(&self.0.ctx, &REFUSALS_BY_PERSON, &person.id().to_string()).await.is_err() {
                return Ok(());
            }
            let by = By { who: Who::Person(person.id()), origin };
            let mut db = self.0.ctx.db.acquire().await?;
            audit::record(&mut db, &by.did(What::AccessRefused, About::Thing { kind: "door", id: door })).await
        };
        if let Err(error) = noted.await {
            tracing::error!(error = ?error, "a refusal could not be written down");
        }
    }
}

/// The audit takes 300.
const ABOUT_CHARS_MAX: usize = 200;

fn origin(request: &Request) -> Origin {
    let session = request.extensions().get::<Session>().and_then(Session::id);
    Origin {
        session: session.map(|id| sessions::id_hash(id.0)),
        address: request.extensions().get::<ClientAddress>().map(|client| client.0),
        request: request_id(request.headers()),
    }
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    headers.get("x-request-id")?.to_str().ok().map(ToOwned::to_owned)
}

/// And back to the page, or to the page that the file belongs to.
fn sign_in_first(kind: Kind, uri: &Uri) -> Response {
    let back_to = match kind {
        Kind::File => uri.path().rsplit_once('.').map_or(uri.path(), |(page, _)| page),
        _ => uri.path_and_query().map_or(uri.path(), http::uri::PathAndQuery::as_str),
    };
    Redirect::to(&paths::with_next(paths::SIGN_IN, back_to)).into_response()
}
