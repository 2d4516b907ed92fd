//! The document around every page: head, theme, policy.

use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderName};
use leptos::hydration::HydrationScripts;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags};

use crate::request::{Request, Theme, set_header};
use crate::routes::App;

/// The whole document.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let theme = Request::current().map_or(Theme::System, |request| request.theme());
    send_policy();
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme.as_str()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="preload" href="/fonts/geist-latin.woff2" r#as="font" r#type="font/woff2" crossorigin="anonymous" />
                <HashedStylesheet options=options.clone() />
                <link rel="icon" href="/favicon.svg" r#type="image/svg+xml" />
                <link rel="apple-touch-icon" href="/apple-touch-icon.png" />
                <link rel="manifest" href="/site.webmanifest" />
                <HydrationScripts options islands=true />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The content security policy, with this response's nonce: only our own scripts run, forms lead only to us or to the
/// provider's checkout.
fn send_policy() {
    let Ok(request) = Request::current() else { return };
    let nonce = use_nonce().map(|nonce| format!("'nonce-{nonce}' ")).unwrap_or_default();
    let checkout = &request.site().checkout_origin;
    set_header(
        CONTENT_SECURITY_POLICY,
        &format!(
            "default-src 'none'; script-src {nonce}'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
             img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
             object-src 'none'; form-action 'self' {checkout}; frame-ancestors 'none'"
        ),
    );
    set_header(HeaderName::from_static("cache-control"), "no-store");
}
