//! What every request passes on its way in and every answer on its way out, in one place: its id, the log,
//! headers, who sent it and to whom, panics, forged requests, limits, forms that can't be read.

mod body;
pub mod client;
mod forgery;
pub mod headers;
pub mod redirect;
pub mod refusal;
mod request;
mod unread;

pub use self::refusal::refuse;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};

/// The proxies in front of us, our names, and where we send people.
#[derive(Debug, Clone)]
pub struct Known {
    pub proxies: client::Proxies,
    pub hosts: client::Hosts,
    pub ways: redirect::Ways,
}

#[cfg(test)]
impl Known {
    /// One name, and nothing in front.
    pub fn by(public_url: &str) -> Self {
        Self {
            proxies: client::Proxies::default(),
            hosts: client::Hosts::new(public_url, &[]),
            ways: redirect::Ways::new(&[public_url]),
        }
    }
}

/// Wraps the whole site. The last layer here is the first that a request meets.
pub fn wrap(site: Router, public_url: &str, known: Known) -> Router {
    site.layer(from_fn(unread::tell))
        .layer(from_fn(body::limit))
        .layer(from_fn_with_state(known.ways, redirect::stay))
        .layer(from_fn(request::hurry))
        .layer(from_fn_with_state(forgery::Origin::new(public_url), forgery::refuse))
        .layer(from_fn(request::survive))
        .layer(from_fn_with_state(known.proxies, client::introduce))
        .layer(from_fn_with_state(known.hosts, client::turn_away))
        .layer(from_fn(body::limit_address))
        .layer(from_fn_with_state(headers::Secure::new(public_url), headers::secure))
        .layer(from_fn(request::follow))
}
