//! What a page or an action knows of the request it answers: who asks, from which session, and the core's context.

mod answer;
mod cookies;
pub mod currency;
mod session;
mod set_up;
mod viewing;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use atlas::audit::Origin;
use atlas::people::devices::DeviceToken;
use atlas::people::fresh::{self, Fresh};
use atlas::people::roles::{Admin, Finance, Support};
use atlas::people::sessions::id_hash;
use atlas::people::sign_in::Knock;
use atlas::people::{SignedIn, Visitor};
use atlas::plans::shelf::Shelf;
use atlas::providers::whop::oauth::pkce::Handle;
use atlas::set_up::whop::Given;
use atlas::{Context, Error, Result};
use axum::http::request::Parts;
use domain::PersonId;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use tower_sessions::Session;
use uuid::Uuid;

pub use self::answer::{see_other, set_header, set_status};
use self::cookies::{DEVICE, OAUTH, cookie, host_cookie};
pub use self::viewing::NotWhileViewing;

/// Under this key a session says whose it is. The session store copies it into a column of its own.
pub const PERSON_KEY: &str = "person";
/// And under this one what the browser called itself when it signed in.
const AGENT_KEY: &str = "agent";
/// And under this one what it was begun with elsewhere. The session store copies it, too.
pub const GRANT_KEY: &str = "grant";
const AGENT_CHARS_MAX: usize = 300;
/// And under this one how it began, for the audit.
pub const BEGAN_KEY: &str = "began";

/// The same for every request of the process.
pub struct Site {
    pub ctx: Context,
    /// The same over connections that change nothing: by it the pages are drawn that an admin looks at.
    pub only_reads: Context,
    pub shelf: Shelf,
    /// Where forms may lead to beside ourselves: the provider's web pages, `https://whop.com`.
    pub checkout_origin: String,
    /// And where people sign in with Whop: `https://api.whop.com`. None: they can't.
    pub sign_in_origin: Option<String>,
    /// What the environment says of Whop. None: nothing is sold there.
    pub whop: Option<Given>,
}

/// One request.
#[derive(Clone)]
pub struct Request {
    site: Arc<Site>,
    session: Option<Session>,
    visitor: Arc<OnceCell<Visitor>>,
    theme: Theme,
    address: IpAddr,
    device: Option<DeviceToken>,
    oauth: Option<Handle>,
    agent: String,
    id: String,
    path: String,
    only_reads: bool,
    refused_while_viewing: bool,
}

/// How a session began under its present id. Whoever keeps it writes that into the audit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Began {
    pub what: Beginning,
    pub origin: Origin,
    /// The path of the request: `/do/sign-in`.
    pub through: String,
}

/// Why a session got a new id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Beginning {
    SignedIn,
    Confirmed,
}

/// Who sent a request, as far as the network says; the server puts it among the request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

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
pub fn provide_request(site: &Arc<Site>) {
    let parts = use_context::<Parts>();
    provide_context(Request::of(site, parts.as_ref()));
}

impl Request {
    /// What the head of a request says; for the server's own handlers.
    pub fn of(site: &Arc<Site>, parts: Option<&Parts>) -> Self {
        let session = parts.and_then(|parts| parts.extensions.get::<Session>().cloned());
        let theme = parts.and_then(|parts| cookie(parts, Theme::COOKIE)).map_or(Theme::System, Theme::parse);
        let address = parts.and_then(|parts| parts.extensions.get::<ClientAddress>());
        let device = parts.and_then(|parts| cookie(parts, &host_cookie(&site.ctx, DEVICE)));
        let oauth = parts.and_then(|parts| cookie(parts, &host_cookie(&site.ctx, OAUTH)));
        // Whoever stood at the door has looked already, where the door asks for somebody.
        let visitor = parts.and_then(|parts| parts.extensions.get::<Visitor>().cloned());
        let said = |name| parts.and_then(|parts| parts.headers.get(name)).and_then(|value| value.to_str().ok());
        Self {
            site: Arc::clone(site),
            session,
            theme,
            address: address.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.0),
            device: device.and_then(DeviceToken::parse),
            oauth: oauth.and_then(Handle::parse),
            agent: said("user-agent").unwrap_or_default().chars().take(AGENT_CHARS_MAX).collect(),
            only_reads: matches!(visitor, Some(Visitor::Viewing(_))),
            refused_while_viewing: parts.is_some_and(|parts| parts.extensions.get::<NotWhileViewing>().is_some()),
            visitor: Arc::new(OnceCell::new_with(visitor)),
            id: said("x-request-id").unwrap_or_default().to_owned(),
            path: parts.map(|parts| parts.uri.path().to_owned()).unwrap_or_default(),
        }
    }

    /// The request being answered. None while routes are merely listed at start.
    pub fn current() -> Result<Self> {
        use_context().ok_or_else(|| Error::broken("there is no request here"))
    }

    /// Where an admin looks at somebody's pages, nothing can be changed by it.
    pub fn ctx(&self) -> &Context {
        if self.only_reads { &self.site.only_reads } else { &self.site.ctx }
    }

    pub fn site(&self) -> &Site {
        &self.site
    }

    pub const fn theme(&self) -> Theme {
        self.theme
    }

    /// What the log knows this request by.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// What a sign-in is counted by.
    pub fn knock(&self) -> Knock {
        Knock { address: self.address, device: self.device.clone(), request: Some(self.id.clone()) }
    }

    /// Where this request came from, for the audit.
    pub fn origin(&self) -> Origin {
        Origin {
            session: self.session_hash().ok(),
            address: Some(self.address),
            request: Some(self.id.clone()).filter(|id| !id.is_empty()),
        }
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
        Visitor::of(self.ctx(), person, self.session_hash()?).await
    }

    /// Whoever is signed in; nobody is [`None`].
    pub async fn person(&self) -> Result<Option<SignedIn>> {
        Ok(self.visitor().await?.person().cloned())
    }

    /// Whoever is signed in, if they may read what is everybody's.
    ///
    /// Errors: [`Error::NotFound`] for all others: for them there is nothing.
    pub async fn support(&self) -> Result<Support> {
        Support::prove(self.person().await?.ok_or(Error::NotFound)?)
    }

    /// Whoever is signed in, if they may refund.
    ///
    /// Errors: [`Error::NotFound`] for all others.
    pub async fn finance(&self) -> Result<Finance> {
        Finance::prove(self.person().await?.ok_or(Error::NotFound)?)
    }

    /// Whoever is signed in, if they are an admin.
    ///
    /// Errors: [`Error::NotFound`] for all others.
    pub async fn admin(&self) -> Result<Admin> {
        Admin::prove(self.person().await?.ok_or(Error::NotFound)?)
    }

    /// Proof that whoever is signed in confirmed a moment ago. None: they are to be sent to [`domain::paths::confirm`].
    pub async fn fresh(&self, person: &SignedIn) -> Result<Option<Fresh>> {
        fresh::check(&self.ctx().db, person, self.session_hash()?).await
    }

    /// What this session was begun with elsewhere.
    pub async fn grant(&self) -> Result<Option<Uuid>> {
        self.session()?.get(GRANT_KEY).await.map_err(Error::unavailable)
    }

    /// What the table of sessions knows this one by.
    pub fn session_hash(&self) -> Result<[u8; 32]> {
        let id = self.session()?.id().ok_or_else(|| Error::broken("a session without an id"))?;
        Ok(id_hash(id.0))
    }
}
