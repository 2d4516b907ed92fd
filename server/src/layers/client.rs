//! Who sent a request and whom it was sent to, as far as either can be believed (T59). Behind a proxy the connection is the
//! proxy's; what it says of the client counts only if the proxy is one of ours.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use app::request::ClientAddress;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use ipnet::IpNet;

use super::refusal::refuse;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What anybody can write into a request and nobody here is to believe.
const HEARSAY: [HeaderName; 7] = [
    FORWARDED_FOR,
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-user-id"),
    HeaderName::from_static("x-membership-tier"),
    header::FORWARDED,
];

/// The networks that our own proxies are in.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Arc<[IpNet]>);

impl FromStr for Proxies {
    type Err = String;

    /// `10.0.0.0/8, 192.0.2.7`
    fn from_str(text: &str) -> Result<Self, String> {
        let net = |word: &str| match word.parse() {
            Ok(net) => Ok(net),
            Err(_) => word.parse::<IpAddr>().map(IpNet::from).map_err(|_| format!("{word} is no network")),
        };
        text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(net).collect::<Result<_, _>>().map(Self)
    }
}

impl Proxies {
    pub fn holds(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address.to_canonical()))
    }

    /// The last address that none of our proxies has: each of them wrote whom it heard from to the right of what it was
    /// told, so from the right the first stranger is the client, and what stands further left is only what it claims.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let heard = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
        let heard: Vec<&str> = heard.flat_map(|value| value.split(',')).map(str::trim).collect();
        let mut nearest = peer;
        for word in heard.iter().rev() {
            if !self.holds(nearest) {
                break;
            }
            let Ok(address) = word.parse() else { break };
            nearest = address;
        }
        nearest
    }
}

/// Tells those inside who sent the request, and takes away what they must not believe.
pub async fn introduce(State(proxies): State<Proxies>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    if let Some(peer) = peer {
        let client = proxies.client(peer.to_canonical(), request.headers());
        request.extensions_mut().insert(ClientAddress(client));
    }
    for name in HEARSAY {
        request.headers_mut().remove(name);
    }
    next.run(request).await
}

/// The names that we answer to.
#[derive(Debug, Clone)]
pub struct Hosts(Arc<[String]>);

impl Hosts {
    /// The public one and `others`. On a machine of one's own all its names are as good.
    pub fn new(public_url: &str, others: &[String]) -> Self {
        let own = public_url.split_once("://").map_or(public_url, |(_, rest)| rest);
        let mut names = vec![name(own).to_ascii_lowercase()];
        if is_loopback(&names[0]) {
            names.extend(["localhost", "127.0.0.1", "[::1]"].map(ToOwned::to_owned));
        }
        names.extend(others.iter().map(|other| name(other).to_ascii_lowercase()));
        Self(names.into())
    }

    fn hold(&self, host: &str) -> bool {
        self.0.iter().any(|own| own.eq_ignore_ascii_case(name(host)))
    }
}

fn is_loopback(name: &str) -> bool {
    name == "localhost" || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A host without its port.
fn name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Refuses what was meant for somebody else, or for two. Whoever only asks whether we live may call us what they like.
pub async fn turn_away(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    let asks_after_health = matches!(request.uri().path(), "/healthz" | "/readyz");
    if asks_after_health || is_for_us(&hosts, request.uri(), request.headers()) {
        return next.run(request).await;
    }
    tracing::warn!("refused a request to another host");
    refuse(request.headers(), StatusCode::MISDIRECTED_REQUEST, "Nothing is served here under this address.")
}

fn is_for_us(hosts: &Hosts, uri: &Uri, headers: &HeaderMap) -> bool {
    let mut said = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (said.next(), said.next()) else { return false };
    let in_line = uri.authority().is_none_or(|authority| hosts.hold(authority.as_str()));
    in_line && host.to_str().is_ok_and(|host| hosts.hold(host))
}

#[cfg(test)]
mod tests;
