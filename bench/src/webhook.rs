//! Deliveries as Whop makes them: its own example of a `payment.succeeded`, made out to one of our orders and signed
//! (Whop API, webhooks; Standard Webhooks).

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Request, header};
use http_body_util::Full;
use serde_json::Value;
use sha2::Sha256;

use crate::load::Message;
use crate::scene::Order;
use crate::stand::COMPANY;

const FIXTURES: &str = include_str!("../../tests/vectors/whop-fixtures.json");

/// What the server answers when a delivery is stored for good.
pub const STORED: &str = "stored";

/// Makes deliveries for one endpoint.
pub struct Post {
    address: SocketAddr,
    secret: String,
    /// The example, with the account's id in it.
    example: String,
}

impl Post {
    pub fn new(address: SocketAddr, secret: &str) -> Result<Self> {
        let fixtures: Value = serde_json::from_str(FIXTURES)?;
        let example = fixtures.pointer("/webhooks/payment.succeeded").context("no example of payment.succeeded")?;
        Ok(Self { address, secret: secret.to_owned(), example: example.to_string().replace("biz_Ex0001", COMPANY) })
    }

    /// The order is paid. The same order gives the same message each time, signed anew.
    pub fn paid(&self, order: &Order) -> Result<Message> {
        let number = order.number;
        let body = self
            .example
            .replace("ch_Ex0001", &format!("ch_Bench{number}"))
            .replace("pay_Ex0001", &format!("pay_Bench{number}"))
            .replace("ord_0001", &order.id.to_string());
        let id = format!("msg_Bench{number}");
        let now = atlas::clock::Clock::system().now().unix_timestamp();
        let signature = signature(&self.secret, &id, now, &body)?;
        Ok(Request::post(domain::paths::WHOP_WEBHOOK)
            .header(header::HOST, self.address.to_string())
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", now)
            .header("webhook-signature", signature)
            .body(Full::from(body))?)
    }
}

/// What the header `webhook-signature` says.
pub fn signature(secret: &str, id: &str, timestamp: i64, body: &str) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body.as_bytes());
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}
