//! What a page or an action knows of the request it answers: who asks, from which session, and the core's context.

pub mod currency;
mod set_up;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use atlas::audit::Origin;
use atlas::people::devices::{self, DeviceToken};
use atlas::people::fresh::{self, Fresh};
use atlas::people::grants::{self, Why};
use atlas::people::half::{self, Half};
use atlas::people::oauth::begin::{ATTEMPT_LASTS, Begun};
use atlas::people::roles::{Admin, Finance, Support};
use atlas::people::sessions::{end_this, id_hash};
use atlas::people::sign_in::Knock;
use atlas::people::{SignedIn, Visitor};
use atlas::plans::shelf::Shelf;
use atlas::providers::whop::oauth::pkce::Handle;
use atlas::set_up::whop::Given;
use atlas::{Context, Error, Result};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use domain::PersonId;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use tower_sessions::Session;
use uuid::Uuid;

/// Under this key a session says whose it is. The session store copies it into a column of its own.
pub const PERSON_KEY: &str = "person";
/// And under this one what the browser called itself when it signed in.
const AGENT_KEY: &str = "agent";
/// And under this one what it was begun with elsewhere. The session store copies it, too.
pub const GRANT_KEY: &str = "grant";
/// Cookies of their own, beside the session's.
const DEVICE: &str = "device";
const OAUTH: &str = "oauth";
const AGENT_CHARS_MAX: usize = 300;
/// And under this one how it began, for the audit.
pub const BEGAN_KEY: &str = "began";

/// The same for every request of the process.
#[derive(Clone)]
pub struct Site {
    pub ctx: Context,
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
    site: Site,
    session: Option<Session>,
    visitor: Arc<OnceCell<Visitor>>,
    theme: Theme,
    address: IpAddr,
    device: Option<DeviceToken>,
    oauth: Option<Handle>,
    agent: String,
    id: String,
    path: String,
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
pub fn provide_request(site: &Site) {
    let parts = use_context::<Parts>();
    provide_context(Request::of(site, parts.as_ref()));
}

/// A cookie's name. Browsers hold `__Host-` cookies to our host and to https, and refuse them over plain http.
fn host_cookie(ctx: &Context, name: &str) -> String {
    if ctx.public_url.starts_with("https://") { format!("__Host-{name}") } else { name.to_owned() }
}

/// What sets such a cookie. Lax: it has to come along when another site leads back here.
fn set_host_cookie(ctx: &Context, name: &str, value: &str, lasts: time::Duration) -> String {
    let (name, age) = (host_cookie(ctx, name), lasts.whole_seconds());
    let secure = if name.starts_with("__Host-") { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
}

fn cookie<'a>(parts: &'a Parts, wanted: &str) -> Option<&'a str> {
    let cookies = parts.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value)
}

impl Request {
    /// What the head of a request says; for the server's own handlers.
    pub fn of(site: &Site, parts: Option<&Parts>) -> Self {
        let session = parts.and_then(|parts| parts.extensions.get::<Session>().cloned());
        let theme = parts.and_then(|parts| cookie(parts, Theme::COOKIE)).map_or(Theme::System, Theme::parse);
        let address = parts.and_then(|parts| parts.extensions.get::<ClientAddress>());
        let device = parts.and_then(|parts| cookie(parts, &host_cookie(&site.ctx, DEVICE)));
        let oauth = parts.and_then(|parts| cookie(parts, &host_cookie(&site.ctx, OAUTH)));
        let visitor = parts.and_then(|parts| parts.extensions.get::<Visitor>().cloned());
        let said = |name| parts.and_then(|parts| parts.headers.get(name)).and_then(|value| value.to_str().ok());
        Self {
            site: site.clone(),
            session,
            // Whoever stood at the door has looked already, where the door asks for somebody.
            visitor: Arc::new(OnceCell::new_with(visitor)),
            theme,
            address: address.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.0),
            device: device.and_then(DeviceToken::parse),
            oauth: oauth.and_then(Handle::parse),
            agent: said("user-agent").unwrap_or_default().chars().take(AGENT_CHARS_MAX).collect(),
            id: said("x-request-id").unwrap_or_default().to_owned(),
            path: parts.map(|parts| parts.uri.path().to_owned()).unwrap_or_default(),
        }
    }

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

    /// Leaves a cookie by which this browser is known to be the person's.
    pub async fn remember_device(&self, person: &SignedIn) -> Result<()> {
        add_header(header::SET_COOKIE, &self.device_cookie(person).await?);
        Ok(())
    }

    /// The same, for whoever sets the header themselves.
    pub async fn device_cookie(&self, person: &SignedIn) -> Result<String> {
        let token = devices::remember(self.ctx(), person, self.device.clone()).await?;
        Ok(set_host_cookie(self.ctx(), DEVICE, token.as_str(), devices::KNOWN_FOR))
    }

    /// What this browser kept of its way out to an authorisation server.
    pub const fn oauth_handle(&self) -> Option<&Handle> {
        self.oauth.as_ref()
    }

    /// What makes the browser keep it; none makes it forget.
    pub fn oauth_cookie(&self, handle: Option<&Handle>) -> String {
        let (value, lasts) = handle.map_or(("", time::Duration::ZERO), |handle| (handle.expose(), ATTEMPT_LASTS));
        set_host_cookie(self.ctx(), OAUTH, value, lasts)
    }

    /// Sends the browser out to an authorisation server.
    pub fn send_out(&self, begun: &Begun) {
        add_header(header::SET_COOKIE, &self.oauth_cookie(Some(&begun.handle)));
        see_other(&begun.url);
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
        Visitor::of(self.ctx(), person).await
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

    /// Makes this session the person's, who has just shown that it is them, under a new id (T43).
    pub async fn begin_session(&self, person: &SignedIn) -> Result<()> {
        self.begin_session_with(person, None).await
    }

    /// The same, begun elsewhere with this grant. One that it had before is given back.
    pub async fn begin_session_with(&self, person: &SignedIn, grant: Option<Uuid>) -> Result<()> {
        let session = self.session()?;
        let before: Option<Uuid> = session.remove(GRANT_KEY).await.map_err(Error::unavailable)?;
        if let Some(grant) = grant {
            session.insert(GRANT_KEY, grant).await.map_err(Error::unavailable)?;
        }
        session.insert(AGENT_KEY, &self.agent).await.map_err(Error::unavailable)?;
        session.insert(PERSON_KEY, person.id()).await.map_err(Error::unavailable)?;
        self.renew(person, Beginning::SignedIn).await?;
        match before {
            Some(grant) => grants::end(self.ctx(), grant, Why::SignedOut).await,
            None => Ok(()),
        }
    }

    /// Makes this session one in which only a code can be given, under a new id. Nobody is signed in to it.
    pub async fn begin_half(&self, half: Half) -> Result<()> {
        let session = self.session()?;
        session.clear().await;
        session.cycle_id().await.map_err(Error::unavailable)?;
        session.insert(AGENT_KEY, &self.agent).await.map_err(Error::unavailable)?;
        // Now, and not with the answer: the note goes to its row.
        session.save().await.map_err(Error::unavailable)?;
        half::begin(self.ctx(), half, self.session_hash()?).await
    }

    /// Notes that the person has just shown again that it is them. The session goes on under a new id (T43).
    pub async fn note_confirmed(&self, person: &SignedIn) -> Result<()> {
        self.renew(person, Beginning::Confirmed).await
    }

    async fn renew(&self, person: &SignedIn, what: Beginning) -> Result<()> {
        let session = self.session()?;
        let began = Began { what, origin: self.origin(), through: self.path.clone() };
        session.cycle_id().await.map_err(Error::unavailable)?;
        session.insert(BEGAN_KEY, began).await.map_err(Error::unavailable)?;
        // Now, and not with the answer: the note goes to its row.
        session.save().await.map_err(Error::unavailable)?;
        fresh::note(&self.ctx().db, person, self.session_hash()?).await
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

    /// Signs out. It is written down with the end of the session, or neither happens.
    pub async fn end_session(&self) -> Result<()> {
        if let (Some(person), Ok(this)) = (self.person().await?, self.session_hash()) {
            end_this(self.ctx(), &person, this, &self.origin()).await?;
        }
        if let Some(grant) = self.grant().await? {
            grants::end(self.ctx(), grant, Why::SignedOut).await?;
        }
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

/// Sets a header of the response being drawn.
pub fn set_header(name: header::HeaderName, value: &str) {
    if let Some(response) = use_context::<ResponseOptions>()
        && let Ok(value) = HeaderValue::from_str(value)
    {
        response.insert_header(name, value);
    }
}

/// Adds a header to those of the same name.
fn add_header(name: header::HeaderName, value: &str) {
    if let Some(response) = use_context::<ResponseOptions>()
        && let Ok(value) = HeaderValue::from_str(value)
    {
        response.append_header(name, value);
    }
}
