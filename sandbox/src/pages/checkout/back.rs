//! The way back to the seller: their own address with Whop's parameters added.

use reqwest::Url;

use crate::faults::RedirectStyle;
use crate::payments::{Payment, Status};
use crate::world::World;

/// Where the buyer goes once their payment is paid or pending; none without a `redirect_url`, or before.
pub fn address(world: &World, payment: &Payment) -> Option<String> {
    let checkout = world.checkouts.get_any(&payment.checkout_id)?;
    let mut url = Url::parse(checkout.redirect_url.as_deref()?).ok()?;
    let paid = match payment.status {
        Status::Paid => true,
        Status::Pending => false,
        Status::Open => return None,
    };
    match world.faults.redirect_style {
        RedirectStyle::Hosted => {
            let outcome = if paid { "success" } else { "pending" };
            url.query_pairs_mut()
                .append_pair("payment_id", &payment.id)
                .append_pair("receipt_id", &payment.id)
                .append_pair("checkout_status", outcome)
                .append_pair("status", outcome);
        }
        RedirectStyle::Elements => {
            let outcome = if paid { "succeeded" } else { "processing" };
            url.query_pairs_mut().append_pair("payment", &payment.id).append_pair("status", outcome);
        }
        RedirectStyle::None => {}
    }
    Some(url.into())
}
