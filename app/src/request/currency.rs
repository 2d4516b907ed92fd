//! The currency that somebody chose to see prices in, kept in a cookie of this browser. It decides what is shown first, and nothing
//! else: what is bought says its own currency.

use axum::http::header;
use axum::http::request::Parts;
use domain::Currency;
use leptos::prelude::use_context;

use super::answer::add_header;
use super::cookies::cookie;

const COOKIE: &str = "currency";
const YEAR_SECONDS: u32 = 365 * 24 * 60 * 60;

/// What this browser chose last.
pub fn chosen() -> Option<Currency> {
    cookie(&use_context::<Parts>()?, COOKIE)?.parse().ok()
}

/// Has the browser keep it. Pages are stored by nobody else (`Cache-Control: no-store`), so nobody gets another one's choice.
pub fn remember(currency: Currency) {
    add_header(
        header::SET_COOKIE,
        &format!("{COOKIE}={currency}; Path=/; Max-Age={YEAR_SECONDS}; HttpOnly; SameSite=Lax"),
    );
}
