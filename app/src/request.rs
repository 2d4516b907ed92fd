//! What a page or an action knows of the request it answers: who asks, from which session, and the core's context.

use std::sync::Arc;

use atlas::people::{self, SignedIn, Visitor};
use atlas::plans::shelf::Shelf;
use atlas::{Context, Error, Result};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use domain::PersonId;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use tokio::sync::OnceCell;
use tower_sessions::Session;

/// Under this key a session says whose it is. The session store copies it into a column of its own.
pub const PERSON_KEY: &str = "person";

/// The same for every request of the process.
#[derive(Clone)]
pub struct Site {
    pub ctx: Context,
    pub shelf: Shelf,
    /// Where forms may lead to beside ourselves: the provider's web pages, `https://whop.com`.
    pub checkout_origin: String,
}

/// One request.
#[derive(Clone)]
pub struct Request {
    site: Site,
    session: Option<Session>,
    visitor: Arc<OnceCell<Visitor>>,
    theme: Theme,
    id: String,
}

/// The colours the visitor chose; kept in a cookie, so that the first byte of a page has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    System,
    Light,
    Dark,
}

impl Theme {
    pub const COOKIE: &str = "theme";

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub fn parse(word: &str) -> Self {
        match word {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }
}

/// Puts the request into Leptos' context. To be called in the router's additional context, where its parts are.
pub fn provide_request(site: &Site) {
    let parts = use_context::<Parts>();
    let session = parts.as_ref().and_then(|parts| parts.extensions.get::<Session>().cloned());
    let theme = parts.as_ref().map_or(Theme::System, theme_of);
    let id = parts.as_ref().and_then(|parts| parts.headers.get("x-request-id")).and_then(|id| id.to_str().ok());
    provide_context(Request {
        site: site.clone(),
        session,
        visitor: Arc::default(),
        theme,
        id: id.unwrap_or_default().to_owned(),
    });
}

fn theme_of(parts: &Parts) -> Theme {
    let cookies = parts.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == Theme::COOKIE)
        .map_or(Theme::System, |(_, word)| Theme::parse(word))
}

impl Request {
    /// The request being answered. None while routes are merely listed at start.
    pub fn current() -> Result<Self> {
        use_context().ok_or_else(|| Error::broken("there is no request here"))
    }

    pub const fn ctx(&self) -> &Context {
        &self.site.ctx
    }

    pub const fn site(&self) -> &Site {
        &self.site
    }

    pub const fn theme(&self) -> Theme {
        self.theme
    }

    /// What the log knows this request by.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn session(&self) -> Result<&Session> {
        self.session.as_ref().ok_or_else(|| Error::broken("there is no session layer"))
    }

    /// Who asks; looked up once a request.
    pub async fn visitor(&self) -> Result<Visitor> {
        self.visitor.get_or_try_init(|| self.look_up()).await.cloned()
    }

    async fn look_up(&self) -> Result<Visitor> {
        let Some(session) = &self.session else { return Ok(Visitor::Nobody) };
        let person: Option<PersonId> = session.get(PERSON_KEY).await.map_err(Error::unavailable)?;
        let Some(person) = person else { return Ok(Visitor::Nobody) };
        Ok(people::load(&self.ctx().db, person).await?.map_or(Visitor::Nobody, Visitor::Person))
    }

    /// Whoever is signed in; nobody is [`None`].
    pub async fn person(&self) -> Result<Option<SignedIn>> {
        Ok(self.visitor().await?.person().cloned())
    }

    /// Makes this session the person's, under a new id (T43).
    pub async fn begin_session(&self, person: &SignedIn) -> Result<()> {
        let session = self.session()?;
        session.cycle_id().await.map_err(Error::unavailable)?;
        session.insert(PERSON_KEY, person.id()).await.map_err(Error::unavailable)
    }

    pub async fn end_session(&self) -> Result<()> {
        self.session()?.flush().await.map_err(Error::unavailable)
    }
}

/// Answers with 303 to a path of ours, or to the provider's checkout.
pub fn see_other(location: &str) {
    if let Some(response) = use_context::<ResponseOptions>()
        && let Ok(location) = HeaderValue::from_str(location)
    {
        response.set_status(StatusCode::SEE_OTHER);
        response.insert_header(header::LOCATION, location);
    }
}

/// Sets the status of the page being drawn.
pub fn set_status(status: StatusCode) {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(status);
    }
}

/// Adds a header to the response being drawn.
pub fn set_header(name: header::HeaderName, value: &str) {
    if let Some(response) = use_context::<ResponseOptions>()
        && let Ok(value) = HeaderValue::from_str(value)
    {
        response.insert_header(name, value);
    }
}
