//! Refunds in their two shapes: the current one of the API, and the older one with JSON numbers and a nested payment, which
//! is what refund webhooks still carry.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Refund, RefundStatus};
use crate::clock::Moment;
use crate::money::{Currency, JsonNumber};
use crate::payments::view::{billing_reason, method_type};
use crate::payments::{Means, Payment};
use crate::people::Metadata;
use crate::world::World;

/// The refund as the API shows it (Whop API, `Refund`).
pub fn current(world: &World, refund: &Refund) -> Value {
    json!({
        "id": refund.id,
        "account_id": world.settings.company_id,
        "amount": refund.amount.object(),
        "created_at": refund.created_at,
        "failure_message": null,
        "failure_reason": null,
        "metadata": refund.metadata,
        "original_amount": refund.amount.object(),
        "payment_id": refund.payment_id,
        "provider": "stripe",
        "provider_created_at": refund.created_at,
        "reason": "requested_by_customer",
        "reference_status": "pending",
        "reference_type": null,
        "reference_value": null,
        "status": refund.status,
        "updated_at": refund.updated_at,
        "visa_rdr": false,
    })
}

/// The refund as `refund.created` and `refund.updated` carry it.
#[derive(Serialize)]
pub struct LegacyRefund {
    id: String,
    amount: JsonNumber,
    created_at: Moment,
    currency: Currency,
    metadata: Option<Metadata>,
    payment: Option<LegacyPayment>,
    provider: &'static str,
    provider_created_at: Moment,
    reference_status: &'static str,
    reference_type: Option<()>,
    reference_value: Option<()>,
    status: RefundStatus,
}

#[derive(Serialize)]
struct LegacyPayment {
    id: String,
    billing_reason: &'static str,
    card_brand: Option<String>,
    card_last4: Option<String>,
    created_at: Moment,
    currency: Currency,
    dispute_alerted_at: Option<()>,
    member: Option<Value>,
    membership: Option<Value>,
    metadata: Metadata,
    paid_at: Option<Moment>,
    payment_method_type: Option<&'static str>,
    plan: Value,
    product: Option<Value>,
    subtotal: JsonNumber,
    tax_amount: Option<()>,
    tax_behavior: Option<()>,
    tax_refunded_amount: Option<()>,
    total: JsonNumber,
    usd_total: Option<JsonNumber>,
    user: Option<Value>,
}

pub fn legacy(world: &World, refund: &Refund) -> LegacyRefund {
    LegacyRefund {
        id: refund.id.clone(),
        amount: refund.amount.number(),
        created_at: refund.created_at,
        currency: refund.amount.currency,
        metadata: refund.metadata.clone(),
        payment: world.payments.get(&refund.payment_id).map(|payment| legacy_payment(world, payment)),
        provider: "stripe",
        provider_created_at: refund.created_at,
        reference_status: "pending",
        reference_type: None,
        reference_value: None,
        status: refund.status,
    }
}

fn legacy_payment(world: &World, payment: &Payment) -> LegacyPayment {
    let plan = world.plans.get_any(&payment.plan_id);
    let person = world.people.get(&payment.person_id);
    let membership = payment.membership_id.as_ref().and_then(|id| world.memberships.get(id));
    let card = match &payment.means {
        Some(Means::Card(card)) => Some(card),
        _ => None,
    };
    LegacyPayment {
        id: payment.id.clone(),
        billing_reason: billing_reason(plan),
        card_brand: card.map(|card| card.brand.clone()),
        card_last4: card.map(|card| card.last4.clone()),
        created_at: payment.created_at,
        currency: payment.total.currency,
        dispute_alerted_at: None,
        member: person.map(|person| json!({ "id": person.member_id, "phone": null })),
        membership: membership.map(|it| json!({ "id": it.id, "status": it.status })),
        metadata: payment.metadata.clone(),
        paid_at: payment.paid_at,
        payment_method_type: payment.means.as_ref().map(method_type),
        plan: json!({ "id": payment.plan_id, "metadata": plan.and_then(|plan| plan.terms.metadata.clone()) }),
        product: payment.product_id.as_ref().map(|id| json!({ "id": id, "metadata": null })),
        subtotal: payment.total.number(),
        tax_amount: None,
        tax_behavior: None,
        tax_refunded_amount: None,
        total: payment.total.number(),
        usd_total: (payment.total.currency == Currency::USD).then(|| payment.total.number()),
        user: person.map(|person| {
            json!({ "id": person.id, "username": person.username, "name": person.name, "email": person.email })
        }),
    }
}
