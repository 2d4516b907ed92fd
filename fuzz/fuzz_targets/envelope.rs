//! A delivery's three headers and its body, as a stranger sends them: whatever they are, nothing that was not signed with our
//! secret is believed, and nothing panics (T01, T04, T13).

#![no_main]

use std::sync::LazyLock;

use atlas::providers::verify::WebhookSecrets;
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use secrecy::SecretString;

const NOW: i64 = 1_795_000_000;

static SECRETS: LazyLock<WebhookSecrets> = LazyLock::new(|| {
    let secret = |text: &str| SecretString::from(text);
    WebhookSecrets::new(secret("ws_0123456789abcdef0123456789abcdef"), Some(secret("ws_fedcba9876543210fedcba98")))
        .expect("long enough")
});

// Lines `name: value` until an empty one, then the body. A name that is cut short stands for one of ours.
fuzz_target!(|data: &[u8]| {
    let end = data.windows(2).position(|pair| pair == b"\n\n").unwrap_or(data.len());
    let mut headers = HeaderMap::new();
    for line in data[..end].split(|byte| *byte == b'\n').take(20) {
        let (name, value) = match line {
            [b'i', value @ ..] => (HeaderName::from_static("webhook-id"), value),
            [b't', value @ ..] => (HeaderName::from_static("webhook-timestamp"), value),
            [b's', value @ ..] => (HeaderName::from_static("webhook-signature"), value),
            _ => continue,
        };
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(name, value);
        }
    }
    let body = data.get(end + 2..).unwrap_or_default().to_vec();
    // An HMAC-SHA256 is not found by chance.
    assert!(SECRETS.verify(&headers, body, NOW).is_err());
});
