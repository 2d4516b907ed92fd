//! What is tried at a door, and which answer the table of rights calls for.

use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};

use super::super::{Door, Kind, Need};
use super::Caller;
use super::scene::Victim;

/// One request.
#[derive(Debug, Clone)]
pub struct Visit {
    pub method: Method,
    pub path: String,
    pub body: String,
    pub kind: &'static str,
}

#[derive(Debug, PartialEq)]
pub struct Answer {
    pub status: StatusCode,
    pub location: Option<String>,
    pub text: String,
}

impl Visit {
    pub fn get(path: &str) -> Self {
        Self { method: Method::GET, path: path.to_owned(), body: String::new(), kind: "" }
    }

    pub fn post(path: &str, body: &str) -> Self {
        let kind = "application/x-www-form-urlencoded";
        Self { method: Method::POST, path: path.to_owned(), body: body.to_owned(), kind }
    }

    /// As a browser sends it that is on one of our pages: what is forged is refused elsewhere.
    pub fn request(&self, cookie: Option<&str>) -> Request<Body> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&self.path)
            .header(header::HOST, "127.0.0.1:3000")
            .header(header::ACCEPT, "text/html")
            .header("sec-fetch-site", "same-origin");
        if !self.kind.is_empty() {
            request = request.header(header::CONTENT_TYPE, self.kind);
        }
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        request.body(Body::from(self.body.clone())).unwrap()
    }
}

impl Answer {
    pub fn new(status: StatusCode, headers: &HeaderMap, text: String) -> Self {
        let location = headers.get(header::LOCATION).map(|place| place.to_str().unwrap().to_owned());
        Self { status, location, text }
    }

    /// Takes out what differs from request to request: its id, the page's nonce, and what was asked for.
    pub fn forget(&mut self, asked_for: &[&Victim]) {
        for (nth, victim) in asked_for.iter().enumerate() {
            assert!(nth < 2);
            for name in victim.names() {
                self.text = self.text.replace(&name, "…");
            }
        }
        for (before, after) in [("<code>", "</code>"), ("nonce=\"", "\""), ("crossorigin=\"", "\""), ("nonce-", "'")] {
            let mut rest = self.text.as_str();
            let mut kept = String::new();
            while let Some((head, tail)) = rest.split_once(before) {
                kept.push_str(head);
                rest = tail.split_once(after).map_or("", |(_, tail)| tail);
            }
            kept.push_str(rest);
            self.text = kept;
        }
    }
}

/// The door by its own method with all that a form could say, and by every other method.
pub fn visits(door: &Door, victim: &Victim) -> Vec<Visit> {
    let path = victim.address(door.path);
    let (form, json) = (victim.form(), victim.json());
    let mut visits = vec![Visit::get(&path), Visit { method: Method::HEAD, ..Visit::get(&path) }];
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        visits.push(Visit { method: method.clone(), ..Visit::post(&path, &form) });
        visits.push(Visit { method, kind: "application/json", ..Visit::post(&path, &json) });
    }
    visits
}

/// Whether the description of the JSON routes has this one.
fn is_described(path: &str, method: &Method) -> bool {
    let description: serde_json::Value = serde_json::from_str(&crate::api::openapi::TEXT).unwrap();
    let method = if method == Method::HEAD { "get".to_owned() } else { method.as_str().to_lowercase() };
    description["paths"][path].get(method).is_some()
}

/// Whether the answer is one that the table allows.
pub fn judge(door: &Door, caller: Caller, visit: &Visit, answer: &Answer) {
    let said = format!("{caller:?}: {} {} as {:?}: {}", visit.method, visit.path, visit.kind, answer.status);
    let status = answer.status;
    assert!(!status.is_server_error(), "{said}: {}", answer.text);
    let own_method = match door.kind {
        Kind::Form | Kind::Webhook => visit.method == Method::POST,
        Kind::Api => is_described(door.path, &visit.method),
        _ => matches!(visit.method, Method::GET | Method::HEAD),
    };
    if !own_method {
        assert!(!status.is_success() || status == StatusCode::NO_CONTENT, "{said}");
        return;
    }
    let signed_in = caller != Caller::Nobody;
    let is_support = caller == Caller::Support;
    let is_foreign =
        door.path.contains('{') || [domain::paths::PAYMENT_STATUS, domain::paths::ORDER_EVENTS].contains(&door.path);
    let to_sign_in = status == StatusCode::SEE_OTHER
        && answer.location.as_ref().is_some_and(|place| place.starts_with(domain::paths::SIGN_IN));
    match (door.need_of(&visit.method), door.kind) {
        (Need::Key(_) | Need::Signature, _) => assert_eq!(status, StatusCode::UNAUTHORIZED, "{said}"),
        (Need::SignedIn, Kind::Stream) | (Need::SignedIn | Need::Of(_), Kind::Api) if !signed_in => {
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{said}");
        }
        (Need::SignedIn | Need::SettingUp | Need::Fresh, _) if !signed_in => {
            assert!(to_sign_in, "{said} to {:?}", answer.location);
        }
        (Need::Of(domain::Role::Support), _) if is_support => {
            // They got in with a form that can't be read.
            let unread = status == StatusCode::BAD_REQUEST && answer.text.contains("incomplete");
            assert!(unread || !status.is_client_error(), "{said}");
        }
        (Need::Of(_), Kind::Page | Kind::File | Kind::Stream) => assert_eq!(status, StatusCode::NOT_FOUND, "{said}"),
        (Need::Of(_), _) => assert_eq!(status, StatusCode::FORBIDDEN, "{said}"),
        (Need::SignedIn, Kind::Page | Kind::Stream) if is_foreign => {
            assert_eq!(status, StatusCode::NOT_FOUND, "{said}");
        }
        (Need::SignedIn, Kind::Api) => assert!(status.is_success() || status.is_client_error(), "{said}"),
        (Need::SignedIn | Need::SettingUp | Need::Fresh, Kind::Form) => {
            assert!(!to_sign_in && !status.is_success(), "{said}");
        }
        // Who has nothing to do on a page of their own may be led on.
        (Need::SignedIn | Need::SettingUp | Need::Fresh, _) => {
            let led_on = status == StatusCode::SEE_OTHER && !to_sign_in;
            assert!(status == StatusCode::OK || led_on, "{said}");
        }
        (Need::Nobody, _) => {}
    }
}
