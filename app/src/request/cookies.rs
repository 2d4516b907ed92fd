//! Cookies of our own, beside the session's: by which a browser is known, and what it keeps of its way out and back.

use atlas::people::SignedIn;
use atlas::people::devices;
use atlas::people::oauth::begin::{ATTEMPT_LASTS, Begun};
use atlas::providers::whop::oauth::pkce::Handle;
use atlas::{Context, Result};
use axum::http::header;
use axum::http::request::Parts;

use super::Request;
use super::answer::{add_header, see_other};

pub(super) const DEVICE: &str = "device";
pub(super) const OAUTH: &str = "oauth";

/// A cookie's name. Browsers hold `__Host-` cookies to our host and to https, and refuse them over plain http.
pub(super) fn host_cookie(ctx: &Context, name: &str) -> String {
    if ctx.public_url.starts_with("https://") { format!("__Host-{name}") } else { name.to_owned() }
}

/// What sets such a cookie. Lax: it has to come along when another site leads back here.
fn set_host_cookie(ctx: &Context, name: &str, value: &str, lasts: time::Duration) -> String {
    let (name, age) = (host_cookie(ctx, name), lasts.whole_seconds());
    let secure = if name.starts_with("__Host-") { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
}

pub(super) fn cookie<'a>(parts: &'a Parts, wanted: &str) -> Option<&'a str> {
    let cookies = parts.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value)
}

impl Request {
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
}
