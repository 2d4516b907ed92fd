//! Choosing colours, for those without scripts; with scripts an island does it in place.

#![expect(clippy::unused_async, reason = "a server function is async")]

use axum::http::{HeaderValue, header};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use crate::actions::session::next_path;
use crate::request::{Theme, see_other};

const YEAR_SECONDS: u32 = 365 * 24 * 60 * 60;

#[server(prefix = "/do", endpoint = "theme")]
pub async fn choose_theme(theme: String, next: String) -> Result<(), ServerFnError> {
    let theme = Theme::parse(&theme).as_str();
    let cookie = format!("{}={theme}; Path=/; Max-Age={YEAR_SECONDS}; SameSite=Lax", Theme::COOKIE);
    if let (Some(response), Ok(cookie)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(&cookie)) {
        response.append_header(header::SET_COOKIE, cookie);
    }
    see_other(&next_path(&next));
    Ok(())
}
