//! Which addresses lead to us or to the provider, as a browser reads them (T50).

use std::sync::Arc;

/// The origins that we send people to: scheme, host, port if unusual.
#[derive(Debug, Clone)]
pub struct Ways(Arc<[String]>);

impl Ways {
    pub fn new(origins: &[&str]) -> Self {
        Self(origins.iter().map(|origin| origin.trim_end_matches('/').to_ascii_lowercase()).collect())
    }

    pub fn lead_to(&self, place: &str) -> bool {
        // What a browser reads as the beginning of another host, or drops while reading.
        if place.bytes().any(|byte| byte == b'\\' || byte.is_ascii_control()) || place.starts_with("//") {
            return false;
        }
        place.starts_with('/') || self.0.iter().any(|origin| is_within(origin, place))
    }
}

fn is_within(origin: &str, place: &str) -> bool {
    let Some((begin, rest)) = place.split_at_checked(origin.len()) else { return false };
    begin.eq_ignore_ascii_case(origin) && (rest.is_empty() || rest.starts_with(['/', '?', '#']))
}
