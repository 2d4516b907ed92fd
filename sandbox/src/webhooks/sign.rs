//! Signatures as Standard Webhooks defines them, with Whop's key rule: the whole secret as text is the key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The value of `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`. The key is the UTF-8
/// text of the secret, `ws_` included; it is not decoded in any way.
pub fn signature(secret: &str, message_id: &str, unix_seconds: i64, body: &[u8]) -> String {
    // HMAC takes keys of any length, so the refusal cannot happen; an empty signature would be refused by the receiver.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("{message_id}.{unix_seconds}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}
