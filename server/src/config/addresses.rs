//! Addresses, as far as settings need to know them.

use std::net::IpAddr;

/// An address up to where its path begins.
pub fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |place| place + 3);
    url[host..].find('/').map_or(url, |end| &url[..host + end])
}

/// Scheme and host of an address that is nothing but an origin.
pub fn parse_public_url(url: &str) -> Option<(&str, &str)> {
    let uri: http::Uri = url.parse().ok()?;
    let scheme = url.split_once("://")?.0;
    let host = &url[scheme.len() + 3..];
    let host = host.strip_suffix('/').unwrap_or(host);
    let bare = uri.path().trim_matches('/').is_empty() && uri.query().is_none() && !host.contains(['@', '#', '?', '/']);
    (matches!(scheme, "http" | "https") && bare && !host.is_empty()).then_some((scheme, without_port(host)))
}

pub fn without_port(host: &str) -> &str {
    match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}

pub fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
