//! The document around every page: head, theme, policy.

use std::sync::Arc;

use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderName};
use leptos::hydration::HydrationScripts;
use leptos::nonce::{Nonce, use_nonce};
use leptos::prelude::*;
use leptos::tachys::html::InertElement;
use leptos_meta::{HashedStylesheet, MetaTags};

use crate::request::{Request, Theme, set_header};
use crate::routes::App;

/// Stands in the head that is kept where each answer's nonce belongs.
const NONCE: &str = "{nonce}";

/// What stands in the head of every page, drawn once. Leptos would look up the names of the hashed files on disk, three
/// times a page.
#[derive(Clone)]
pub struct Head(Arc<[Box<str>]>);

impl Head {
    pub fn new(options: &LeptosOptions) -> Self {
        Self(draw_head(options, NONCE).split(NONCE).map(Box::from).collect())
    }

    fn with_nonce(&self, nonce: &str) -> String {
        self.0.join(nonce)
    }
}

fn draw_head(options: &LeptosOptions, nonce: &str) -> String {
    Owner::new().with(|| {
        provide_context(Nonce::from_value(nonce));
        view! {
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <meta name="color-scheme" content="light dark" />
            <link rel="preload" href="/fonts/geist-latin.woff2" r#as="font" r#type="font/woff2" crossorigin="anonymous" />
            <HashedStylesheet options=options.clone() />
            <link rel="icon" href="/favicon.svg" r#type="image/svg+xml" />
            <link rel="apple-touch-icon" href="/apple-touch-icon.png" />
            <link rel="manifest" href="/site.webmanifest" />
            <HydrationScripts options=options.clone() islands=true />
        }
        .to_html()
    })
}

/// The whole document.
pub fn shell(head: &Head) -> impl IntoView + use<> {
    let theme = Request::current().map_or(Theme::System, |request| request.theme());
    let nonce = use_nonce();
    send_policy(nonce.as_ref());
    // As HydrationScripts does: outside of islands nothing is for the browser to wake.
    if let Some(context) = Owner::current_shared_context() {
        context.set_is_hydrating(false);
    }
    let head = InertElement::new(head.with_nonce(nonce.as_deref().unwrap_or_default()));
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme.as_str()>
            <head>{head}<MetaTags /></head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The content security policy, with this response's nonce: only our own scripts run, forms lead only to us, to the
/// provider's checkout, or to where people sign in elsewhere: a browser counts where a form is answered to go on to.
fn send_policy(nonce: Option<&Nonce>) {
    let Ok(request) = Request::current() else { return };
    let nonce = nonce.map(|nonce| format!("'nonce-{nonce}' ")).unwrap_or_default();
    let (checkout, sign_in) = (&request.site().checkout_origin, request.site().sign_in_origin.as_deref());
    let sign_in = sign_in.filter(|origin| origin != checkout).map(|origin| format!(" {origin}")).unwrap_or_default();
    set_header(
        CONTENT_SECURITY_POLICY,
        &format!(
            "default-src 'none'; script-src {nonce}'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
             img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
             object-src 'none'; form-action 'self' {checkout}{sign_in}; frame-ancestors 'none'; report-uri /csp-report; \
             report-to csp"
        ),
    );
    set_header(HeaderName::from_static("cache-control"), "no-store");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kept_head_is_what_leptos_draws_with_the_nonce_in_every_place() {
        let options = LeptosOptions::builder().output_name("atlas").site_pkg_dir("pkg").build();
        let drawn = draw_head(&options, "fresh");
        assert_eq!(Head::new(&options).with_nonce("fresh"), drawn);
        for part in ["<script type=\"module\" nonce=\"fresh\">", "/pkg/atlas.js", "/pkg/atlas.css", "charset=\"utf-8\""]
        {
            assert!(drawn.contains(part), "{part} in {drawn}");
        }
    }
}
