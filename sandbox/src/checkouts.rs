//! Checkout configurations: a link to a payment page for one plan, with the seller's metadata. A link can be paid more than
//! once.

use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::error::ApiError;
use crate::clock::Moment;
use crate::faults::PurchaseUrlShape;
use crate::people::Metadata;
use crate::plans::view::{CheckoutPlan, checkout_plan};
use crate::plans::{self, PlanInput};
use crate::world::{Record, World};

/// A payment link.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checkout {
    pub id: String,
    pub plan_id: String,
    pub metadata: Metadata,
    pub redirect_url: Option<String>,
    pub affiliate_code: Option<String>,
    pub payment_method_configuration: Option<Value>,
    pub deleted: bool,
    pub created_at: Moment,
}

impl Record for Checkout {
    const KIND: &'static str = "checkout";

    fn id(&self) -> &str {
        &self.id
    }

    fn created_at(&self) -> Moment {
        self.created_at
    }

    fn is_deleted(&self) -> bool {
        self.deleted
    }
}

/// What a request may say about a checkout configuration.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct CheckoutInput {
    pub mode: Option<String>,
    pub plan_id: Option<String>,
    pub plan: Option<PlanInput>,
    pub metadata: Option<Metadata>,
    pub redirect_url: Option<String>,
    pub affiliate_code: Option<String>,
    pub payment_method_configuration: Option<Value>,
}

/// Makes a payment link for an existing plan or an inline one.
pub fn create(world: &mut World, input: CheckoutInput) -> Result<Checkout, ApiError> {
    match input.mode.as_deref() {
        None | Some("payment") => {}
        Some("setup") => return Err(ApiError::bad("mode setup is not part of this sandbox; use mode payment")),
        Some(mode) => return Err(ApiError::bad(format!("mode {mode} is not one of payment, setup"))),
    }
    let metadata = input.metadata.unwrap_or_default();
    check_metadata(&metadata)?;
    if let Some(url) = &input.redirect_url {
        check_redirect(url)?;
    }
    let plan_id = match (input.plan_id, input.plan) {
        (Some(_), Some(_)) => return Err(ApiError::bad("plan_id and plan are mutually exclusive")),
        (None, None) => return Err(ApiError::bad("plan_id or plan is required")),
        (Some(id), None) => world.plans.get(&id).ok_or(ApiError::not_found("Plan"))?.id.clone(),
        (None, Some(plan)) => plans::create_inline(world, plan)?.id,
    };
    let checkout = Checkout {
        id: world.ids.fresh("ch_"),
        plan_id,
        metadata,
        redirect_url: input.redirect_url,
        affiliate_code: input.affiliate_code,
        payment_method_configuration: input.payment_method_configuration,
        deleted: false,
        created_at: Moment::now(),
    };
    world.checkouts.put(checkout.clone());
    Ok(checkout)
}

/// Whop's limits: 50 keys of up to 100 characters, text values of up to 500.
fn check_metadata(metadata: &Metadata) -> Result<(), ApiError> {
    if metadata.len() > 50 {
        return Err(ApiError::bad("metadata has too many keys (maximum is 50)"));
    }
    for (key, value) in metadata {
        if key.chars().count() > 100 {
            return Err(ApiError::bad("metadata has a key that is too long (maximum is 100 characters)"));
        }
        if value.as_str().is_some_and(|text| text.chars().count() > 500) {
            return Err(ApiError::bad(format!("metadata value of {key} is too long (maximum is 500 characters)")));
        }
    }
    Ok(())
}

/// A redirect must be https; plain http only goes to this machine, as in Whop's own sandbox.
fn check_redirect(url: &str) -> Result<(), ApiError> {
    let parsed = Url::parse(url).map_err(|_| ApiError::bad("redirect_url is not a valid URL"))?;
    let local = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match parsed.scheme() {
        "https" => Ok(()),
        "http" if local => Ok(()),
        _ => Err(ApiError::bad("redirect_url must be https")),
    }
}

/// The page where the buyer pays, in one of the two shapes that Whop is known to use.
pub fn purchase_url(world: &World, checkout: &Checkout) -> String {
    let (host, id) = (&world.settings.public_url, &checkout.id);
    match world.faults.purchase_url_shape {
        PurchaseUrlShape::Session => format!("{host}/checkout/{}/?session={id}", checkout.plan_id),
        PurchaseUrlShape::Path => format!("{host}/checkout/{id}/"),
    }
}

/// The checkout configuration as the API shows it.
#[derive(Serialize)]
pub struct CheckoutView {
    id: String,
    account_id: String,
    affiliate_code: Option<String>,
    created_at: Moment,
    currency: Option<()>,
    effective_payment_method_configuration: Option<Value>,
    metadata: Option<Metadata>,
    mode: &'static str,
    payment_method_configuration: Option<Value>,
    plan: Option<CheckoutPlan>,
    purchase_url: String,
    redirect_url: Option<String>,
    three_ds_level: Option<()>,
    updated_at: Moment,
}

/// Without the account's key (`known` is false) the metadata is null.
pub fn view(world: &World, checkout: &Checkout, known: bool) -> CheckoutView {
    CheckoutView {
        id: checkout.id.clone(),
        account_id: world.settings.company_id.clone(),
        affiliate_code: checkout.affiliate_code.clone(),
        created_at: checkout.created_at,
        currency: None,
        effective_payment_method_configuration: checkout.payment_method_configuration.clone(),
        metadata: known.then(|| checkout.metadata.clone()),
        mode: "payment",
        payment_method_configuration: checkout.payment_method_configuration.clone(),
        plan: world.plans.get_any(&checkout.plan_id).map(checkout_plan),
        purchase_url: purchase_url(world, checkout),
        redirect_url: checkout.redirect_url.clone(),
        three_ds_level: None,
        updated_at: checkout.created_at,
    }
}
