//! Reading an answer: not more than we allow, its headers, and errors in Whop's words.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};
use serde::Deserialize;

use super::error::{ApiError, WhopError};
use super::text;
use super::wire::lenient;

/// Reads a whole answer, or gives up where it gets longer than `bytes_max`.
pub async fn read(mut response: Response, bytes_max: usize) -> Result<Vec<u8>, WhopError> {
    let too_large = || WhopError::Unreadable(format!("longer than {bytes_max} bytes"));
    if response.content_length().is_some_and(|length| length > bytes_max as u64) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > bytes_max {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The innermost cause is the one that helps: `connection refused`. The address is left out.
pub fn unreachable(error: reqwest::Error) -> WhopError {
    if error.is_timeout() {
        return WhopError::Unreachable("not in time".to_owned());
    }
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    WhopError::Unreachable(text::clean(&cause.to_string()).unwrap_or_default())
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorDetail,
}

#[derive(Deserialize)]
struct ErrorDetail {
    #[serde(default, rename = "type", deserialize_with = "lenient::optional")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    code: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    message: Option<String>,
}

/// An error status, with what Whop says about it if it does (a proxy on the way may answer in HTML). `secret` is our
/// key, should the answer repeat it.
pub fn refusal(status: StatusCode, retry_after: Option<Duration>, body: &[u8], secret: &str) -> WhopError {
    if !(status.is_client_error() || status.is_server_error()) {
        return WhopError::Unreadable(format!("status {}", status.as_u16()));
    }
    let safe = |text: Option<String>| text.and_then(|text| text::clean(&text.replace(secret, "[key]")));
    let detail = serde_json::from_slice(body).ok().map(|body: ErrorBody| body.error);
    let (kind, code, message) = detail.map_or((None, None, None), |error| (error.kind, error.code, error.message));
    WhopError::Api(ApiError {
        status: status.as_u16(),
        kind: safe(kind).unwrap_or_default(),
        code: safe(code),
        message: safe(message).unwrap_or_default(),
        retry_after,
    })
}

/// `retry-after-ms`, or else `Retry-After` in seconds. The date form is not used by APIs, and passed over.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    number("retry-after-ms").map(Duration::from_millis).or_else(|| number("retry-after").map(Duration::from_secs))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_wait_is_read_from_either_header() {
        assert_eq!(retry_after(&headers(&[("retry-after", "7")])), Some(Duration::from_secs(7)));
        assert_eq!(
            retry_after(&headers(&[("retry-after", "7"), ("retry-after-ms", "40")])),
            Some(Duration::from_millis(40))
        );
        for odd in ["-1", "1.5", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999999999999999"] {
            assert_eq!(retry_after(&headers(&[("retry-after", odd)])), None, "{odd}");
        }
    }

    #[test]
    fn errors_are_read_in_whops_words_without_our_key() {
        let fixtures: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/vectors/whop-fixtures.json")).unwrap();
        let body = fixtures["objects"]["error"].to_string();
        let error = refusal(StatusCode::BAD_REQUEST, None, body.as_bytes(), "apik_secret");
        assert_eq!(error.to_string(), "Whop answered 400 bad_request: account_id is required");

        let body = br#"{"error":{"type":"unauthorized","message":"Key apik_secret\u0000 is unknown","code":7}}"#;
        let error = refusal(StatusCode::UNAUTHORIZED, None, body, "apik_secret");
        assert_eq!(error.to_string(), "Whop answered 401 unauthorized: Key [key] is unknown");

        let error = refusal(StatusCode::BAD_GATEWAY, None, b"<html>Bad gateway</html>", "apik_secret");
        assert_eq!(error.to_string(), "Whop answered 502 : ");
    }
}
