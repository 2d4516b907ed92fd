//! What a browser brings back from the authorisation server: read, or refused, and what is read is within its bounds (T48).

#![no_main]

use atlas::people::oauth::callback::{Returned, parse};
use libfuzzer_sys::fuzz_target;
use secrecy::ExposeSecret as _;

fuzz_target!(|data: &[u8]| {
    let Ok(query) = std::str::from_utf8(data) else { return };
    let Ok(returned) = parse(query, "https://api.whop.com") else { return };
    assert_eq!(returned.state().len(), 43);
    assert!(returned.state().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
    match returned {
        Returned::Code { code, .. } => assert!((1..=1_024).contains(&code.expose_secret().len())),
        Returned::Error { error, .. } => assert!(error.len() <= 100 && !error.chars().any(char::is_control)),
    }
});
