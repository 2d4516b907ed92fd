//! Plans as the API shows them: in full as variants, and in short inside a checkout configuration.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Plan, PlanType};
use crate::clock::Moment;
use crate::money::currency::Currency;
use crate::money::{JsonNumber, MoneyObject};
use crate::people::Metadata;
use crate::world::World;

/// A value this sandbox never has.
type Nothing = Option<()>;

/// The full form (Whop API, `Variant`).
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the shape is Whop's")]
pub struct Variant {
    id: String,
    account: Value,
    adaptive_pricing_enabled: bool,
    attributes: Nothing,
    billing_period: Option<u32>,
    cancel_discount_intervals: Nothing,
    cancel_discount_percentage: Nothing,
    checkout_styling: Nothing,
    collect_tax: bool,
    created_at: Moment,
    currency: Currency,
    custom_fields: [(); 0],
    deletable: bool,
    description: Option<String>,
    effective_payment_method_configuration: Nothing,
    expiration_days: Option<u32>,
    formatted_price: String,
    image: Nothing,
    initial_price: JsonNumber,
    initial_price_due: MoneyObject,
    internal_notes: Option<String>,
    invoice: Nothing,
    member_count: Option<usize>,
    metadata: Option<Metadata>,
    offer_cancel_discount: bool,
    payment_method_configuration: Nothing,
    plan_type: PlanType,
    product: Option<Value>,
    purchase_url: String,
    release_method: String,
    renewal_price: JsonNumber,
    sku: Option<String>,
    split_pay_required_payments: Nothing,
    stock: Option<u32>,
    strike_through_initial_price: Nothing,
    strike_through_renewal_price: Nothing,
    tax_type: &'static str,
    three_ds_level: Nothing,
    title: Option<String>,
    trial_period_days: Option<u32>,
    unlimited_stock: bool,
    updated_at: Moment,
    visibility: String,
}

/// The full form. Without the account's key (`known` is false) private fields are null.
pub fn variant(world: &World, plan: &Plan, known: bool) -> Variant {
    let terms = plan.terms.clone();
    let product = terms.product_id.as_ref().and_then(|id| world.products.get_any(id));
    let members = world.memberships.newest().filter(|membership| membership.plan_id == plan.id).count();
    Variant {
        id: plan.id.clone(),
        account: json!({ "id": world.settings.company_id, "title": world.settings.company_title }),
        adaptive_pricing_enabled: false,
        attributes: None,
        billing_period: terms.billing_period,
        cancel_discount_intervals: None,
        cancel_discount_percentage: None,
        checkout_styling: None,
        collect_tax: false,
        created_at: plan.created_at,
        currency: terms.currency(),
        custom_fields: [],
        deletable: true,
        effective_payment_method_configuration: None,
        expiration_days: terms.expiration_days,
        formatted_price: terms.due_at_once().to_string(),
        image: None,
        initial_price: terms.initial_price.number(),
        initial_price_due: terms.due_at_once().object(),
        internal_notes: terms.internal_notes.filter(|_| known),
        invoice: None,
        member_count: known.then_some(members),
        metadata: terms.metadata.filter(|_| known),
        offer_cancel_discount: false,
        payment_method_configuration: None,
        plan_type: terms.plan_type,
        product: product.map(|it| json!({ "id": it.id, "title": it.title, "route": it.route })),
        purchase_url: format!("{}/checkout/{}/", world.settings.public_url, plan.id),
        release_method: terms.release_method,
        renewal_price: terms.renewal_price.number(),
        sku: terms.sku,
        split_pay_required_payments: None,
        stock: terms.stock,
        strike_through_initial_price: None,
        strike_through_renewal_price: None,
        tax_type: "unspecified",
        three_ds_level: None,
        title: terms.title,
        trial_period_days: terms.trial_period_days,
        unlimited_stock: terms.unlimited_stock,
        updated_at: plan.updated_at,
        visibility: terms.visibility,
        description: terms.description,
    }
}

/// The short form (Whop API, `CheckoutConfigurationPlan`).
#[derive(Serialize)]
pub struct CheckoutPlan {
    id: String,
    adaptive_pricing_enabled: bool,
    billing_period: Option<u32>,
    currency: Currency,
    expiration_days: Option<u32>,
    initial_price: JsonNumber,
    plan_type: PlanType,
    release_method: String,
    renewal_price: JsonNumber,
    three_ds_level: Nothing,
    trial_period_days: Option<u32>,
    visibility: String,
}

pub fn checkout_plan(plan: &Plan) -> CheckoutPlan {
    let terms = plan.terms.clone();
    CheckoutPlan {
        id: plan.id.clone(),
        adaptive_pricing_enabled: false,
        billing_period: terms.billing_period,
        currency: terms.currency(),
        expiration_days: terms.expiration_days,
        initial_price: terms.initial_price.number(),
        plan_type: terms.plan_type,
        release_method: terms.release_method,
        renewal_price: terms.renewal_price.number(),
        three_ds_level: None,
        trial_period_days: terms.trial_period_days,
        visibility: terms.visibility,
    }
}
