//! Whop as an authorisation server: people sign in to somebody's site with their Whop account (OAuth 2.1 with PKCE, and
//! OpenID Connect's `id_token`). It knows one client, and can be told to lie to it.

pub mod authorize;
pub mod error;
pub mod id_token;
pub mod revoke;
pub mod token;
pub mod userinfo;

use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::sandbox::Sandbox;
use crate::world::{Record, World};

/// The only client there is.
#[derive(Clone, Debug)]
pub struct Client {
    /// `app_...`
    pub id: String,
    pub secret: Option<String>,
    /// Compared as a string, whole.
    pub redirect_uri: String,
}

/// One misbehaviour of the authorisation server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lie {
    /// Sends people back with another state.
    State,
    /// Sends people back without any.
    NoState,
    /// Sends people back with a code that was used before, if there is one.
    Code,
    /// The `id_token` answers somebody else's question.
    Nonce,
    /// The `id_token` says it comes from elsewhere.
    Issuer,
    /// The `id_token` is for another client.
    Audience,
    /// The `id_token` ended an hour ago.
    Expired,
    /// The `id_token`'s signature fits other content.
    Signature,
    /// The `id_token` is not signed, and says so.
    AlgNone,
    /// The `id_token` names a key that nobody has.
    UnknownKey,
    /// There is no `id_token`.
    NoIdToken,
    /// Userinfo speaks of somebody else than the `id_token`.
    Subject,
    /// Userinfo names an e-mail address that was never verified.
    UnverifiedEmail,
    /// Userinfo names no e-mail address.
    NoEmail,
    /// A refresh token is refused as too old.
    RefreshExpired,
}

/// A code on its way through the browser.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Code {
    pub code: String,
    pub redirect_uri: String,
    pub person_id: String,
    pub scope: String,
    pub nonce: Option<String>,
    pub challenge: String,
    /// Made when the code was used.
    pub grant_id: Option<String>,
    pub created_at: Moment,
}

/// What a person allowed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Grant {
    pub id: String,
    pub person_id: String,
    pub scope: String,
    pub refreshed: u32,
    pub revoked: bool,
    pub created_at: Moment,
}

/// An access or a refresh token. Refresh tokens are used once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Token {
    pub token: String,
    pub grant_id: String,
    pub refreshes: bool,
    pub used: bool,
    pub created_at: Moment,
}

/// How often the client asked for what.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Asked {
    pub code: u32,
    pub refresh: u32,
    pub revoke: u32,
    pub userinfo: u32,
}

pub fn routes(sandbox: &Sandbox) -> Router<Sandbox> {
    Router::new()
        .route("/oauth/token", post(token::exchange))
        .route("/oauth/userinfo", get(userinfo::show))
        .route("/oauth/revoke", post(revoke::revoke))
        .layer(from_fn_with_state(sandbox.clone(), misbehave))
        .route("/oauth/authorize", get(authorize::show).post(authorize::decide))
        .route("/.well-known/jwks.json", get(id_token::jwks))
}

/// Ends a grant: whoever uses a code or a refresh token twice may have stolen it (RFC 6749, 4.1.2 and 10.4).
fn kill(world: &mut World, grant_id: &str) {
    if let Some(grant) = world.grants.edit(grant_id) {
        grant.revoked = true;
    }
}

/// Slow, failing, or failing after all was done, as the faults say.
async fn misbehave(State(sandbox): State<Sandbox>, request: Request, next: Next) -> Response {
    let (latency, status, after) = sandbox.read(|world| {
        let faults = &world.faults;
        (faults.oauth_latency_ms, faults.oauth_error_status, faults.oauth_error_after_doing)
    });
    tokio::time::sleep(Duration::from_millis(latency)).await;
    match status {
        None => next.run(request).await,
        Some(status) => {
            if after {
                next.run(request).await;
            }
            error::of_status(status)
        }
    }
}

impl Record for Code {
    const KIND: &'static str = "oauth_code";

    fn id(&self) -> &str {
        &self.code
    }

    fn created_at(&self) -> Moment {
        self.created_at
    }
}

impl Record for Grant {
    const KIND: &'static str = "oauth_grant";

    fn id(&self) -> &str {
        &self.id
    }

    fn created_at(&self) -> Moment {
        self.created_at
    }
}

impl Record for Token {
    const KIND: &'static str = "oauth_token";

    fn id(&self) -> &str {
        &self.token
    }

    fn created_at(&self) -> Moment {
        self.created_at
    }
}
