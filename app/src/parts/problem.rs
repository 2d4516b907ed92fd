//! What a page shows when the core did not give it what it asked for.

use atlas::Error;
use axum::http::StatusCode;
use domain::paths;
use leptos::prelude::*;
use leptos_meta::Title;

use crate::request::{Request, see_other, set_header, set_status};

/// Draws an error as a page with the status that belongs to it. The cause goes to the log, under the request's id.
pub fn problem(error: &Error) -> AnyView {
    let id = Request::current().map(|request| request.id().to_owned()).unwrap_or_default();
    match error {
        Error::NotFound | Error::Forbidden => not_found(),
        Error::Unavailable(_) => {
            tracing::error!(request.id = id, error = ?error, "a page could not reach what it needs");
            set_status(StatusCode::SERVICE_UNAVAILABLE);
            set_header(axum::http::header::RETRY_AFTER, "5");
            page(
                "We’ll be right back",
                "Something we need is not answering just now. Your credits and your orders are safe. Please reload in a minute.",
                Some(id),
            )
        }
        _ => {
            tracing::error!(request.id = id, error = ?error, "a page failed");
            set_status(StatusCode::INTERNAL_SERVER_ERROR);
            page(
                "Something went wrong",
                "This is a mistake on our side, and nothing was changed. If it stays, tell us the number below.",
                Some(id),
            )
        }
    }
}

/// The page for what doesn't exist, or not for this visitor: nobody learns which.
pub fn not_found() -> AnyView {
    let id = Request::current().map(|request| request.id().to_owned()).unwrap_or_default();
    set_status(StatusCode::NOT_FOUND);
    page("Not found", "There is nothing here, or it isn’t yours to see.", Some(id))
}

/// The page for everything that is neither theirs whose pages an admin looks at, nor the end of that. The way back to oneself
/// stands above it.
pub fn not_while_viewing(request: &Request) -> AnyView {
    set_status(StatusCode::FORBIDDEN);
    if request.viewing().is_some() {
        let title = "Not while you view somebody’s pages";
        let sentence =
            "You see them as they do, and can change nothing. Nothing was changed. Stop viewing to go on as yourself.";
        page_with(title, sentence, Some((paths::CREDITS, "Back to their credits")), None)
    } else {
        let title = "Viewing has ended";
        let sentence =
            "You no longer see somebody else’s pages. Nothing was changed. Use the button above to go on as yourself.";
        page_with(title, sentence, None, None)
    }
}

/// Sends a visitor who isn't signed in to sign in, and back afterwards.
pub fn sign_in_first(back_to: &str) -> AnyView {
    see_other(&paths::with_next(paths::SIGN_IN, back_to));
    view! { <p><a href=paths::SIGN_IN>"Sign in"</a></p> }.into_any()
}

/// Sends somebody to show again that it is them, and back afterwards.
pub fn confirm_first(back_to: &str) -> AnyView {
    let way = paths::confirm(back_to);
    see_other(&way);
    view! { <p><a href=way>"Confirm that it’s you"</a></p> }.into_any()
}

/// Sends somebody to set up the second factor that their role needs.
pub fn second_factor_first() -> AnyView {
    see_other(paths::SECOND_FACTOR);
    view! { <p><a href=paths::SECOND_FACTOR>"Set up your second factor"</a></p> }.into_any()
}

fn page(title: &'static str, sentence: &'static str, request_id: Option<String>) -> AnyView {
    page_with(title, sentence, Some((paths::CREDITS, "Go to your credits")), request_id)
}

/// `way_on`: where to, and what the link says.
fn page_with(
    title: &'static str,
    sentence: &'static str,
    way_on: Option<(&'static str, &'static str)>,
    request_id: Option<String>,
) -> AnyView {
    view! {
        <Title text=format!("{title} · Atlas Credits") />
        <main id="main" class="page page--reading">
            <section class="empty">
                <h1>{title}</h1>
                <p>{sentence}</p>
                {way_on.map(|(href, words)| view! { <p><a class="button" href=href>{words}</a></p> })}
                {request_id
                    .filter(|id| !id.is_empty())
                    .map(|id| view! { <p class="muted">"Request "<code>{id}</code></p> })}
            </section>
        </main>
    }
    .into_any()
}
