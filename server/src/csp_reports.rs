//! `POST /csp-report`: browsers tell which of our pages broke its own policy (T55). What they say is anybody's text: it is
//! counted in the log, cut short and without control characters, and never shown again.

use std::sync::Arc;

use app::request::ClientAddress;
use atlas::limits::by_address;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Extension, Router};
use http::{StatusCode, header};
use serde::Deserialize;

use crate::meter::Meter;

pub const PATH: &str = "/csp-report";
/// Of one request, so that one list can't fill the log.
const REPORTS_MAX: usize = 10;
const WORD_CHARS_MAX: usize = 200;

/// What is counted of a report, under both of its spellings: CSP level 2 (`report-uri`) and the Reporting API.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Violation {
    #[serde(rename = "effectiveDirective", alias = "effective-directive")]
    effective: String,
    #[serde(rename = "violatedDirective", alias = "violated-directive")]
    violated: String,
    #[serde(rename = "blockedURL", alias = "blocked-uri")]
    blocked: String,
    #[serde(rename = "documentURL", alias = "document-uri")]
    page: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Sent {
    Old {
        #[serde(rename = "csp-report")]
        report: Violation,
    },
    New(Vec<Report>),
}

#[derive(Deserialize)]
struct Report {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    body: serde_json::Value,
}

pub fn routes(meter: Arc<Meter<String>>) -> Router {
    Router::new().route(PATH, post(receive)).with_state(meter)
}

/// 204 counted, 400 no report, 429 too many from there.
async fn receive(
    State(meter): State<Arc<Meter<String>>>,
    client: Option<Extension<ClientAddress>>,
    body: Bytes,
) -> Response {
    let household = client.map(|Extension(client)| by_address(client.0)).unwrap_or_default();
    if let Err(empty) = meter.take(&household) {
        return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, empty.seconds.to_string())]).into_response();
    }
    let Some(violations) = read(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    for violation in violations {
        let directive = if violation.effective.is_empty() { &violation.violated } else { &violation.effective };
        tracing::warn!(
            directive = word(directive),
            blocked = without_query(&violation.blocked),
            page = without_query(&violation.page),
            "csp.violated: a page broke its own policy"
        );
    }
    StatusCode::NO_CONTENT.into_response()
}

fn read(body: &[u8]) -> Option<Vec<Violation>> {
    Some(match serde_json::from_slice(body).ok()? {
        Sent::Old { report } => vec![report],
        Sent::New(reports) => {
            let violations = reports.into_iter().filter(|report| report.kind == "csp-violation").take(REPORTS_MAX);
            violations.filter_map(|report| serde_json::from_value(report.body).ok()).collect()
        }
    })
}

fn word(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(WORD_CHARS_MAX).collect()
}

/// An address's query may hold what is nobody's business.
fn without_query(address: &str) -> String {
    word(address.split(['?', '#']).next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::meter::Meters;
    use axum::body::Body;
    use axum::extract::Request;
    use std::num::NonZeroU32;
    use tower::ServiceExt as _;

    #[test]
    fn t55_both_ways_of_telling_are_read() {
        let old =
            br#"{"csp-report": {"document-uri": "https://a.example/x?token=1", "effective-directive": "script-src",
            "violated-directive": "script-src 'self'", "blocked-uri": "inline", "status-code": 200}}"#;
        let new = br#"[{"type": "deprecation", "body": {}}, {"type": "csp-violation", "age": 1, "url": "https://a.example/",
            "body": {"documentURL": "https://a.example/y", "effectiveDirective": "img-src", "blockedURL": "https://b.example/z?c",
            "disposition": "enforce"}}]"#;
        let [old] = read(old).unwrap().try_into().unwrap();
        assert_eq!((&*old.effective, &*without_query(&old.page)), ("script-src", "https://a.example/x"));
        let [new] = read(new).unwrap().try_into().unwrap();
        assert_eq!((&*new.effective, &*without_query(&new.blocked)), ("img-src", "https://b.example/z"));
    }

    #[test]
    fn t55_what_is_no_report_is_not_read_and_long_ones_are_cut() {
        for nonsense in ["", "{}", "null", "[1]", "{\"csp-report\": 1}", "\u{0}", "[[[[[[[["] {
            assert!(read(nonsense.as_bytes()).is_none(), "{nonsense:?}");
        }
        assert_eq!(word(&format!("a\r\n\u{1b}[31m{}", "b".repeat(500))).len(), WORD_CHARS_MAX);
        assert!(!word("a\r\nb\0").contains(['\r', '\n', '\0']));
        let many = format!("[{}]", vec![r#"{"type": "csp-violation", "body": {}}"#; 50].join(","));
        assert_eq!(read(many.as_bytes()).unwrap().len(), REPORTS_MAX);
    }

    #[tokio::test]
    async fn t55_reports_are_limited_by_address_and_never_echoed() {
        let site = routes(Meters::new(crate::meter::Rate::a_second(NonZeroU32::MIN)).reports);
        let send = async |address: &str, body: &'static str| {
            let mut request = Request::post(PATH).body(Body::from(body)).unwrap();
            request.extensions_mut().insert(ClientAddress(address.parse().unwrap()));
            let answer = site.clone().oneshot(request).await.unwrap();
            let status = answer.status();
            assert_eq!(axum::body::to_bytes(answer.into_body(), 100).await.unwrap().len(), 0);
            status
        };
        assert_eq!(send("192.0.2.1", "<script>").await, StatusCode::BAD_REQUEST);
        for _ in 0..9 {
            assert_eq!(send("192.0.2.1", r#"{"csp-report": {}}"#).await, StatusCode::NO_CONTENT);
        }
        assert_eq!(send("192.0.2.1", r#"{"csp-report": {}}"#).await, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(send("192.0.2.2", r#"{"csp-report": {}}"#).await, StatusCode::NO_CONTENT);
    }
}
