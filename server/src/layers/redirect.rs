//! Where an answer may send people: to a page of ours, or to the provider's (T50). Leptos sends whoever posted a form back to
//! the Referer where an action says nothing else, and that may be anybody's page.

mod ways;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use domain::paths;
use http::{HeaderValue, header};

pub use self::ways::Ways;

/// Sends people home instead of where they are not to be sent.
pub async fn stay(State(ways): State<Ways>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let foreign = response.headers().get(header::LOCATION).is_some_and(|place| {
        // What is no text is no address of ours.
        !place.to_str().is_ok_and(|place| ways.lead_to(place))
    });
    if foreign {
        tracing::warn!("kept somebody from being sent to another site");
        response.headers_mut().insert(header::LOCATION, HeaderValue::from_static(paths::HOME));
    }
    response
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use http::StatusCode;
    use tower::ServiceExt as _;

    use super::*;

    #[test]
    fn t50_only_our_pages_and_the_providers_are_led_to() {
        let ways = Ways::new(&["https://credits.example.com", "https://whop.com/"]);
        for fine in [
            "/credits",
            "/payment/status?order=1#top",
            "https://credits.example.com",
            "https://Credits.example.com/account",
            "https://whop.com/checkout/plan_1?session=ch_1",
        ] {
            assert!(ways.lead_to(fine), "{fine}");
        }
        for foreign in [
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "https://evil.example/https://whop.com",
            "https://whop.com.evil.example/",
            "https://whop.com@evil.example/",
            "https://whop.com:8443/",
            "http://whop.com/",
            "javascript:alert(1)",
            "evil.example",
            "",
        ] {
            assert!(!ways.lead_to(foreign), "{foreign}");
        }
    }

    #[tokio::test]
    async fn t50_whoever_would_be_sent_away_is_sent_home() {
        let send = async |place: &'static str| {
            let site = Router::new()
                .route("/", get(async move || (StatusCode::FOUND, [(header::LOCATION, place)])))
                .layer(from_fn_with_state(Ways::new(&["https://whop.com"]), stay));
            let answer = site.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
            answer.headers()[header::LOCATION].to_str().unwrap().to_owned()
        };
        assert_eq!(send("https://evil.example/?__err=x").await, "/");
        assert_eq!(send("https://whop.com/checkout").await, "https://whop.com/checkout");
        assert_eq!(send("/credits").await, "/credits");
    }
}
