//! Where somebody wants to be led: what is let through leads to us or to the provider, as a browser reads it (T50).

#![no_main]

#[path = "../../server/src/layers/redirect/ways.rs"]
mod ways;

use std::sync::LazyLock;

use domain::paths;
use libfuzzer_sys::fuzz_target;
use ways::Ways;

static WAYS: LazyLock<Ways> = LazyLock::new(|| Ways::new(&["https://credits.example.com", "https://whop.com"]));

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if paths::is_local(text) {
        assert!(leads_to(text) == Some("credits.example.com".to_owned()), "{text:?}");
    }
    if WAYS.lead_to(text) {
        let host = leads_to(text);
        assert!(matches!(host.as_deref(), Some("credits.example.com" | "whop.com")), "{text:?} leads to {host:?}");
    }
});

/// The host that a browser goes to from a page of ours (WHATWG URL, relative resolution). None: it is no address.
fn leads_to(text: &str) -> Option<String> {
    let here = url::Url::parse("https://credits.example.com/do/sign-in").ok()?;
    let there = here.join(text).ok()?;
    (there.scheme() == "https" && there.port().is_none() && there.username().is_empty()).then(|| there.host_str().map(str::to_owned))?
}
