//! Payments as the API shows them and as payment webhooks carry them (Whop API, `Payment`).

use serde::Serialize;
use serde_json::{Value, json};

use super::{Means, Payment, Status, Substatus};
use crate::clock::Moment;
use crate::money::{Amount, Currency, MoneyObject};
use crate::people::{self, Metadata};
use crate::plans::{Plan, PlanType};
use crate::world::World;

/// Lists leave some fields out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    Single,
    List,
}

/// A value this sandbox never has.
type Nothing = Option<()>;

/// The wire form, with every field of its type.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the shape is Whop's")]
pub struct PaymentView {
    id: String,
    account_id: String,
    amount_after_fees: MoneyObject,
    auto_refunded: bool,
    billing_address: Nothing,
    billing_reason: &'static str,
    checkout_configuration_id: String,
    client_secret: Option<String>,
    created_at: Moment,
    currency: Currency,
    customer_email: Option<String>,
    customer_phone: Nothing,
    decline_code: Option<String>,
    dispute_alerted_at: Nothing,
    failure_message: Option<String>,
    financing_installments_count: Nothing,
    holds: [(); 0],
    ip_address: Nothing,
    last_payment_attempt_at: Option<Moment>,
    line_items: [LineItem; 1],
    member_id: Option<String>,
    membership_id: Option<String>,
    metadata: Metadata,
    needs_tracking: bool,
    next_payment_attempt_at: Nothing,
    paid_at: Option<Moment>,
    payment_instrument: Option<Value>,
    payment_method_id: Nothing,
    payment_method_type: Option<&'static str>,
    payment_rule_matches: [(); 0],
    payments_failed: u32,
    plan_id: String,
    presentment_total: MoneyObject,
    product_id: Option<String>,
    promo_code_id: Nothing,
    quote_id: Nothing,
    recovery_url: Nothing,
    refundable: bool,
    refunded_amount: MoneyObject,
    refunded_at: Option<Moment>,
    retryable: bool,
    risk_score: Nothing,
    risk_signals: Nothing,
    settlement_time_at: Option<Moment>,
    shipment_id: Nothing,
    shipping_address: Nothing,
    status: Status,
    substatus: Substatus,
    subtotal: MoneyObject,
    tax_amount: Nothing,
    tax_behavior: Nothing,
    tax_refunded_amount: MoneyObject,
    three_ds_verified: bool,
    total: MoneyObject,
    updated_at: Moment,
    usd_total: Option<MoneyObject>,
    user: Option<Value>,
    verification_checks: Nothing,
    voidable: bool,
}

#[derive(Serialize)]
struct LineItem {
    id: String,
    label: String,
    plan_id: String,
    plan_title: Option<String>,
    product_id: Option<String>,
    product_title: Option<String>,
    quantity: u32,
    sku: Option<String>,
    subtotal: MoneyObject,
}

/// The payment as it stands.
pub fn payment(world: &World, payment: &Payment, reading: Reading) -> PaymentView {
    let person = world.people.get(&payment.person_id);
    let plan = world.plans.get_any(&payment.plan_id);
    let total = payment.total;
    let money = |minor| Amount::new(minor, total.currency).object();
    let single = reading == Reading::Single;
    PaymentView {
        id: payment.id.clone(),
        account_id: world.settings.company_id.clone(),
        amount_after_fees: total.after_fees().object(),
        auto_refunded: false,
        billing_address: None,
        billing_reason: billing_reason(plan),
        checkout_configuration_id: payment.checkout_id.clone(),
        client_secret: Some(payment.client_secret.clone()).filter(|_| single),
        created_at: payment.created_at,
        currency: total.currency,
        customer_email: person.and_then(|person| person.email.clone()),
        customer_phone: None,
        decline_code: payment.decline.as_ref().map(|decline| decline.code.clone()),
        dispute_alerted_at: None,
        failure_message: payment.decline.as_ref().map(|decline| decline.message.clone()),
        financing_installments_count: None,
        holds: [],
        ip_address: None,
        last_payment_attempt_at: payment.last_try_at,
        line_items: [line_item(world, payment, plan)],
        member_id: person.map(|person| person.member_id.clone()),
        membership_id: payment.membership_id.clone(),
        metadata: payment.metadata.clone(),
        needs_tracking: false,
        next_payment_attempt_at: None,
        paid_at: payment.paid_at,
        payment_instrument: payment.means.as_ref().map(|means| instrument(world, means)),
        payment_method_id: None,
        payment_method_type: payment.means.as_ref().map(method_type),
        payment_rule_matches: [],
        payments_failed: payment.failures,
        plan_id: payment.plan_id.clone(),
        presentment_total: total.object(),
        product_id: payment.product_id.clone(),
        promo_code_id: None,
        quote_id: None,
        recovery_url: None,
        refundable: payment.is_refundable(),
        refunded_amount: money(payment.refunded_minor),
        refunded_at: payment.refunded_at,
        retryable: payment.status == Status::Open,
        risk_score: None,
        risk_signals: None,
        // Whop pays out card money three days after it was collected.
        settlement_time_at: payment.paid_at.filter(|_| single).map(|at| at.plus(THREE_DAYS)),
        shipment_id: None,
        shipping_address: None,
        status: payment.status,
        substatus: payment.substatus,
        subtotal: total.object(),
        tax_amount: None,
        tax_behavior: None,
        tax_refunded_amount: money(0),
        three_ds_verified: payment.three_ds_verified,
        total: total.object(),
        updated_at: payment.updated_at,
        usd_total: (total.currency == Currency::USD).then(|| total.object()),
        user: person.map(|person| people::summary(world, person)),
        verification_checks: None,
        voidable: false,
    }
}

const THREE_DAYS: std::time::Duration = std::time::Duration::from_hours(3 * 24);

/// Why the charge happened.
pub fn billing_reason(plan: Option<&Plan>) -> &'static str {
    match plan.map(|plan| plan.terms.plan_type) {
        Some(PlanType::Renewal) => "subscription_create",
        _ => "one_time",
    }
}

/// Whop's name for the means of payment.
pub fn method_type(means: &Means) -> &'static str {
    match means {
        Means::Card(_) => "card",
        Means::BankDebit => "us_bank_account",
    }
}

/// The means of payment in the words of a receipt.
pub fn method_name(means: &Means) -> String {
    match means {
        Means::Card(card) => {
            let brand = match card.brand.as_str() {
                "visa" => "Visa",
                "mastercard" => "Mastercard",
                "amex" => "American Express",
                "discover" => "Discover",
                _ => "Card",
            };
            format!("{brand} •••• {}", card.last4)
        }
        Means::BankDebit => "Bank account •••• 6789".to_owned(),
    }
}

fn line_item(world: &World, payment: &Payment, plan: Option<&Plan>) -> LineItem {
    let product = payment.product_id.as_ref().and_then(|id| world.products.get_any(id));
    LineItem {
        id: payment.line_item_id.clone(),
        label: payment.label.clone(),
        plan_id: payment.plan_id.clone(),
        plan_title: plan.and_then(|plan| plan.terms.title.clone()),
        product_id: payment.product_id.clone(),
        product_title: product.map(|product| product.title.clone()),
        quantity: 1,
        sku: plan.and_then(|plan| plan.terms.sku.clone()),
        subtotal: payment.total.object(),
    }
}

fn instrument(world: &World, means: &Means) -> Value {
    let image = |name: &str| {
        let url = |size: &str| format!("{}/icons/{name}.svg{size}", world.settings.public_url);
        let sizes =
            json!({ "svg": url(""), "png_1x": url("?size=1"), "png_2x": url("?size=2"), "png_4x": url("?size=4") });
        json!({ "dark": sizes, "light": sizes })
    };
    json!({
        "display_name": method_name(means),
        "payment_method_type": method_type(means),
        "installment_count": null,
        "icons": { "card": image("card"), "square": image("card") },
        "card": match means {
            Means::Card(card) => json!({
                "brand": card.brand,
                "last4": card.last4,
                "exp_month": card.exp_month,
                "exp_year": card.exp_year,
                "issuer_identification_number": card.first6,
            }),
            Means::BankDebit => Value::Null,
        },
    })
}
