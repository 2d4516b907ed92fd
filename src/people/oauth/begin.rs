//! The way out.

use std::net::IpAddr;

use domain::PersonId;
use time::Duration;

use super::Purpose;
use crate::limits::{self, OAUTH_BY_ADDRESS};
use crate::people::SignedIn;
use crate::people::fresh::Fresh;
use crate::providers::whop::oauth::Oauth;
use crate::providers::whop::oauth::pkce::Handle;
use crate::{Context, Error, Result};

/// Whoever takes longer begins again. The cookie lives as long.
pub const ATTEMPT_LASTS: Duration = Duration::minutes(10);

/// Who is sent out, and what for. Linking takes a fresh proof, for whoever is linked gets in from then on.
#[derive(Debug, Clone, Copy)]
pub enum Asking<'a> {
    SignIn,
    /// From this session; it has to be the one that ends it.
    Link(&'a Fresh, [u8; 32]),
    Confirm(&'a SignedIn, [u8; 32]),
}

/// Where to send the browser, and what it has to keep until it is back.
#[derive(Debug)]
pub struct Begun {
    pub url: String,
    pub handle: Handle,
}

/// `return_to`: a path of ours, checked by the caller.
pub async fn begin(ctx: &Context, oauth: &Oauth, asking: Asking<'_>, return_to: &str, from: IpAddr) -> Result<Begun> {
    limits::take(ctx, &OAUTH_BY_ADDRESS, &limits::by_address(from)).await?;
    let handle = Handle::fresh();
    let (purpose, person, session) = match asking {
        Asking::SignIn => (Purpose::SignIn, None, None),
        Asking::Link(fresh, session) => (Purpose::Link, Some(fresh.person().id()), Some(session)),
        Asking::Confirm(person, session) => (Purpose::Confirm, Some(person.id()), Some(session)),
    };
    sqlx::query!(
        "insert into oauth_attempts (handle_hash, purpose, person_id, session_hash, return_to, expires_at)
        values ($1, $2, $3, $4, $5, $6)",
        &handle.hash()[..],
        purpose.as_str(),
        person as Option<PersonId>,
        session.as_ref().map(<[u8; 32]>::as_slice),
        return_to,
        ctx.now() + ATTEMPT_LASTS,
    )
    .execute(&ctx.db)
    .await?;
    let url = oauth.authorize_url(&handle.state(), &handle.nonce(), &handle.challenge()).map_err(Error::broken)?;
    Ok(Begun { url, handle })
}
