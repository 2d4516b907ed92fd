//! Plans, which newer versions of the API call variants: a price, and how often it is charged.

pub mod view;

use serde::{Deserialize, Serialize};

use crate::api::error::ApiError;
use crate::clock::Moment;
use crate::money::{Amount, Currency, Decimal};
use crate::people::Metadata;
use crate::webhooks::emit;
use crate::world::{Record, World};

/// Whether a plan is charged once or again and again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanType {
    Renewal,
    OneTime,
}

/// What is for sale.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    pub id: String,
    pub terms: Terms,
    /// Made inside a checkout configuration.
    pub inline: bool,
    pub deleted: bool,
    pub created_at: Moment,
    pub updated_at: Moment,
}

/// The part of a plan that a seller decides. Two inline plans with equal terms are the same plan.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Terms {
    pub product_id: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub plan_type: PlanType,
    pub release_method: String,
    pub visibility: String,
    pub initial_price: Amount,
    pub renewal_price: Amount,
    /// Days.
    pub billing_period: Option<u32>,
    pub trial_period_days: Option<u32>,
    pub expiration_days: Option<u32>,
    pub stock: Option<u32>,
    pub unlimited_stock: bool,
    pub metadata: Option<Metadata>,
    pub internal_notes: Option<String>,
    pub sku: Option<String>,
}

impl Terms {
    pub fn currency(&self) -> Currency {
        self.initial_price.currency
    }

    /// The first charge. A renewal plan without a trial charges its sign-up fee and the first period together.
    pub fn due_at_once(&self) -> Amount {
        match self.plan_type {
            PlanType::Renewal if self.trial_period_days.unwrap_or(0) == 0 => {
                self.initial_price.plus(self.renewal_price.minor)
            }
            _ => self.initial_price,
        }
    }
}

impl Record for Plan {
    const KIND: &'static str = "plan";

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

/// What a request may say about a plan.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct PlanInput {
    pub product_id: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub currency: Option<String>,
    pub plan_type: Option<PlanType>,
    pub initial_price: Option<Decimal>,
    pub renewal_price: Option<Decimal>,
    pub billing_period: Option<u32>,
    pub trial_period_days: Option<u32>,
    pub expiration_days: Option<u32>,
    pub release_method: Option<String>,
    pub visibility: Option<String>,
    pub stock: Option<u32>,
    pub unlimited_stock: Option<bool>,
    pub metadata: Option<Metadata>,
    pub internal_notes: Option<String>,
    pub sku: Option<String>,
    pub force_create_new_plan: Option<bool>,
}

/// Makes a plan of its own.
pub fn create(world: &mut World, input: PlanInput) -> Result<Plan, ApiError> {
    let terms = terms(world, input)?;
    Ok(add(world, terms, false))
}

/// Makes the plan of a checkout configuration, or finds the equal one that exists already (Whop API, reuse rule).
pub fn create_inline(world: &mut World, input: PlanInput) -> Result<Plan, ApiError> {
    let force = input.force_create_new_plan == Some(true);
    let terms = terms(world, input)?;
    let equal = world.plans.newest().find(|plan| plan.terms == terms && !force).cloned();
    Ok(equal.unwrap_or_else(|| add(world, terms, true)))
}

/// Changes what the request names; type, product and currency stay.
pub fn update(world: &mut World, id: &str, input: PlanInput) -> Result<Plan, ApiError> {
    let plan = world.plans.get(id).ok_or(ApiError::not_found("Plan"))?;
    let (old, currency) = (plan.terms.clone(), plan.terms.currency());
    check_title(input.title.as_deref())?;
    let terms = Terms {
        title: input.title.or(old.title),
        description: input.description.or(old.description),
        release_method: choice(input.release_method, &["buy_now", "waitlist"], "release_method", &old.release_method)?,
        visibility: choice(input.visibility, VISIBILITIES, "visibility", &old.visibility)?,
        initial_price: price(input.initial_price, currency, "initial_price", old.initial_price)?,
        renewal_price: price(input.renewal_price, currency, "renewal_price", old.renewal_price)?,
        billing_period: input.billing_period.or(old.billing_period),
        trial_period_days: input.trial_period_days.or(old.trial_period_days),
        expiration_days: input.expiration_days.or(old.expiration_days),
        stock: input.stock.or(old.stock),
        unlimited_stock: input.unlimited_stock.unwrap_or(old.unlimited_stock),
        metadata: input.metadata.or(old.metadata),
        internal_notes: input.internal_notes.or(old.internal_notes),
        sku: input.sku.or(old.sku),
        product_id: old.product_id,
        plan_type: old.plan_type,
    };
    let plan = world.plans.edit(id).ok_or(ApiError::not_found("Plan"))?;
    (plan.terms, plan.updated_at) = (terms, Moment::now());
    let plan = plan.clone();
    emit::event(world, "plan.updated", &view::variant(world, &plan, true), None);
    Ok(plan)
}

/// Stops selling a plan; what was bought stays bought.
pub fn retire(world: &mut World, id: &str) -> Result<(), ApiError> {
    let plan = world.plans.edit(id).ok_or(ApiError::not_found("Plan"))?;
    (plan.deleted, plan.updated_at) = (true, Moment::now());
    let plan = plan.clone();
    emit::event(world, "plan.deleted", &view::variant(world, &plan, true), None);
    Ok(())
}

const VISIBILITIES: &[&str] = &["visible", "hidden", "archived", "quick_link"];

fn terms(world: &World, input: PlanInput) -> Result<Terms, ApiError> {
    let code = input.currency.as_deref().unwrap_or("usd");
    let currency = Currency::find(code).ok_or(ApiError::bad(format!("currency {code} is not supported")))?;
    check_title(input.title.as_deref())?;
    if let Some(id) = input.product_id.as_deref().filter(|id| world.products.get(id).is_none()) {
        return Err(ApiError::bad(format!("product_id {id} does not exist")));
    }
    let zero = Amount::zero(currency);
    Ok(Terms {
        initial_price: price(input.initial_price, currency, "initial_price", zero)?,
        renewal_price: price(input.renewal_price, currency, "renewal_price", zero)?,
        plan_type: input.plan_type.unwrap_or(PlanType::OneTime),
        release_method: choice(input.release_method, &["buy_now", "waitlist"], "release_method", "buy_now")?,
        visibility: choice(input.visibility, VISIBILITIES, "visibility", "visible")?,
        product_id: input.product_id,
        title: input.title,
        description: input.description,
        billing_period: input.billing_period,
        trial_period_days: input.trial_period_days,
        expiration_days: input.expiration_days,
        stock: input.stock,
        unlimited_stock: input.unlimited_stock.unwrap_or(true),
        metadata: input.metadata,
        internal_notes: input.internal_notes,
        sku: input.sku,
    })
}

/// Reads a price: zero means free, anything else is at least one whole unit (Whop API, money).
fn price(input: Option<Decimal>, currency: Currency, field: &str, default: Amount) -> Result<Amount, ApiError> {
    let Some(decimal) = input else { return Ok(default) };
    let amount = decimal.in_currency(currency).map_err(|why| ApiError::bad(format!("{field} {why}")))?;
    let least = 10_i64.pow(currency.decimals());
    if amount.minor != 0 && amount.minor < least {
        return Err(ApiError::bad(format!("{field} must be 0 or at least {}", Amount::new(least, currency).text())));
    }
    Ok(amount)
}

fn choice(input: Option<String>, known: &[&str], field: &str, default: &str) -> Result<String, ApiError> {
    match input {
        None => Ok(default.to_owned()),
        Some(value) if known.contains(&value.as_str()) => Ok(value),
        Some(value) => Err(ApiError::bad(format!("{field} {value} is not one of {}", known.join(", ")))),
    }
}

fn check_title(title: Option<&str>) -> Result<(), ApiError> {
    match title {
        Some(title) if title.chars().count() > 30 => Err(ApiError::bad("title is too long (maximum is 30 characters)")),
        _ => Ok(()),
    }
}

fn add(world: &mut World, terms: Terms, inline: bool) -> Plan {
    let now = Moment::now();
    let id = world.ids.fresh("plan_");
    let plan = Plan { id, terms, inline, deleted: false, created_at: now, updated_at: now };
    world.plans.put(plan.clone());
    emit::event(world, "plan.created", &view::variant(world, &plan, true), None);
    plan
}
