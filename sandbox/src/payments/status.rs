//! The short status of a payment that buyers' pages poll (Whop API, `PaymentStatus`).

use serde_json::{Value, json};

use super::{Payment, Status};
use crate::world::World;

/// The answer of `GET /payments/{id}/status`.
pub fn view(world: &World, payment: &Payment) -> Value {
    let checkout = world.checkouts.get_any(&payment.checkout_id);
    let status = match payment.status {
        Status::Paid => "succeeded",
        Status::Pending => "processing",
        Status::Open if payment.challenged => "requires_action",
        Status::Open if payment.due.is_some() => "confirming",
        Status::Open => "requires_confirmation",
    };
    let challenge =
        format!("{}/checkout/{}/challenge?payment={}", world.settings.public_url, payment.checkout_id, payment.id);
    json!({
        "id": payment.id,
        "object": "payment_status",
        "status": status,
        "account": { "id": world.settings.company_id, "title": world.settings.company_title },
        "next_action": payment.challenged.then(|| json!({
            "type": "redirect",
            "data": { "url": challenge, "frame_max_width": null },
            "render": ["inline", "full_page"],
        })),
        "last_payment_error": payment.decline.as_ref().map(|decline| json!({
            "code": null,
            "decline_code": decline.code,
            "message": decline.message,
        })),
        "processing_details": (payment.status == Status::Pending).then(|| json!({ "expected_by": null })),
        "return_url": checkout.and_then(|checkout| checkout.redirect_url.clone()),
        "auto_capture_at": null,
        "capture_expires_at": null,
    })
}
