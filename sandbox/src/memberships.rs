//! Memberships: what a buyer holds after buying a product's plan.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::error::ApiError;
use crate::clock::Moment;
use crate::money::{Amount, Currency};
use crate::payments::Payment;
use crate::people::Metadata;
use crate::plans::PlanType;
use crate::webhooks::emit;
use crate::world::{Record, World};

/// Whop's membership states that the sandbox reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Active,
    /// Bought once; access stays.
    Completed,
    PastDue,
    Expired,
    Canceled,
}

/// One buyer's access to one product.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Membership {
    pub id: String,
    pub plan_id: String,
    pub product_id: String,
    pub person_id: String,
    pub status: Standing,
    /// Whoever has it has access.
    pub license_key: String,
    pub metadata: Metadata,
    pub initial_price: Amount,
    pub renewal_price: Amount,
    /// Days.
    pub billing_period: Option<u32>,
    pub cancel_at_period_end: bool,
    pub cancellation_reason: Option<String>,
    pub canceled_at: Option<Moment>,
    pub created_at: Moment,
    pub updated_at: Moment,
}

impl Record for Membership {
    const KIND: &'static str = "membership";

    fn id(&self) -> &str {
        &self.id
    }

    fn created_at(&self) -> Moment {
        self.created_at
    }
}

/// Gives the buyer of a paid payment their membership; its id comes back.
pub fn begin(world: &mut World, payment: &Payment) -> Option<String> {
    let plan = world.plans.get_any(&payment.plan_id)?.clone();
    let renews = plan.terms.plan_type == PlanType::Renewal;
    let now = Moment::now();
    let membership = Membership {
        id: world.ids.fresh("mem_"),
        plan_id: plan.id,
        product_id: payment.product_id.clone()?,
        person_id: payment.person_id.clone(),
        status: if renews { Standing::Active } else { Standing::Completed },
        license_key: world.ids.license_key(),
        metadata: payment.metadata.clone(),
        initial_price: plan.terms.initial_price,
        renewal_price: plan.terms.renewal_price,
        billing_period: plan.terms.billing_period.filter(|_| renews),
        cancel_at_period_end: false,
        cancellation_reason: None,
        canceled_at: None,
        created_at: now,
        updated_at: now,
    };
    let id = membership.id.clone();
    world.memberships.put(membership);
    Some(id)
}

/// From 2026-09-29 on, an activation is delivered as both events.
pub fn announce_activation(world: &mut World, id: &str) {
    let Some(data) = world.memberships.get(id).map(|membership| view(world, membership)) else { return };
    emit::event(world, "membership.activated", &data, None);
    emit::event_with_previous(world, "membership.updated", &data, None, Some(&json!({ "status": "drafted" })));
}

/// What `PATCH /memberships/{id}` may change.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct MembershipInput {
    pub metadata: Option<Metadata>,
    pub cancel_at_period_end: Option<bool>,
}

/// Metadata is merged into what is there.
pub fn update(world: &mut World, id: &str, input: MembershipInput) -> Result<Value, ApiError> {
    let membership = world.memberships.edit(id).ok_or(ApiError::not_found("Membership"))?;
    let before = json!({ "cancel_at_period_end": membership.cancel_at_period_end, "metadata": membership.metadata });
    let at_end = input.cancel_at_period_end.unwrap_or(membership.cancel_at_period_end);
    let turned = at_end != membership.cancel_at_period_end;
    membership.metadata.extend(input.metadata.unwrap_or_default());
    membership.cancel_at_period_end = at_end;
    membership.updated_at = Moment::now();
    let data = announce_update(world, id, &before);
    if turned {
        emit::event(world, "membership.cancel_at_period_end_changed", &data, None);
    }
    Ok(data)
}

/// The body of a cancellation.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct CancelInput {
    pub cancel_at_period_end: Option<bool>,
    pub reason: Option<String>,
}

/// Ends a membership, now or when its period is over. A second time is a conflict.
pub fn cancel(world: &mut World, id: &str, input: CancelInput) -> Result<Value, ApiError> {
    let membership = world.memberships.edit(id).ok_or(ApiError::not_found("Membership"))?;
    if membership.status == Standing::Canceled {
        return Err(ApiError::conflict("not_cancelable", "This membership is already canceled"));
    }
    let before = json!({ "status": membership.status, "cancel_at_period_end": membership.cancel_at_period_end });
    membership.updated_at = Moment::now();
    membership.cancellation_reason = input.reason;
    if input.cancel_at_period_end == Some(true) {
        membership.cancel_at_period_end = true;
        let data = announce_update(world, id, &before);
        emit::event(world, "membership.cancel_at_period_end_changed", &data, None);
        return Ok(data);
    }
    membership.status = Standing::Canceled;
    membership.canceled_at = Some(membership.updated_at);
    let data = announce_update(world, id, &before);
    emit::event(world, "membership.deactivated", &data, None);
    Ok(data)
}

/// By its id, or by its licence key.
pub fn found<'a>(world: &'a World, id: &str) -> Option<&'a Membership> {
    world.memberships.get(id).or_else(|| world.memberships.newest().find(|membership| membership.license_key == id))
}

/// What the control route gives somebody.
#[derive(Deserialize)]
pub struct GivenInput {
    pub email: String,
    pub product_id: String,
    pub plan_id: Option<String>,
}

/// Gives somebody a membership, as if they had bought it elsewhere at the same account.
pub fn give(world: &mut World, input: GivenInput) -> Value {
    let person = crate::people::visitor(world, Some(&input.email));
    let (now, nothing) = (Moment::now(), Amount::zero(Currency::USD));
    let membership = Membership {
        id: world.ids.fresh("mem_"),
        plan_id: input.plan_id.unwrap_or_else(|| world.ids.fresh("plan_")),
        product_id: input.product_id,
        person_id: person.id,
        status: Standing::Active,
        license_key: world.ids.license_key(),
        metadata: Metadata::new(),
        initial_price: nothing,
        renewal_price: nothing,
        billing_period: None,
        cancel_at_period_end: false,
        cancellation_reason: None,
        canceled_at: None,
        created_at: now,
        updated_at: now,
    };
    let id = membership.id.clone();
    world.memberships.put(membership);
    announce_activation(world, &id);
    world.memberships.get(&id).map(|membership| view(world, membership)).unwrap_or_default()
}

/// Puts a membership into a state, and says so.
pub fn set_standing(world: &mut World, id: &str, status: Standing) -> Result<Value, ApiError> {
    let membership = world.memberships.edit(id).ok_or(ApiError::not_found("Membership"))?;
    let before = json!({ "status": membership.status });
    (membership.status, membership.updated_at) = (status, Moment::now());
    let data = announce_update(world, id, &before);
    if matches!(status, Standing::Canceled | Standing::Expired) {
        emit::event(world, "membership.deactivated", &data, None);
    }
    Ok(data)
}

fn announce_update(world: &mut World, id: &str, before: &Value) -> Value {
    let data = world.memberships.get(id).map(|membership| view(world, membership)).unwrap_or_default();
    emit::event_with_previous(world, "membership.updated", &data, None, Some(before));
    data
}

/// The membership as the API shows it. Its prices are money objects, so plain JSON values do.
pub fn view(world: &World, membership: &Membership) -> Value {
    let person = world.people.get(&membership.person_id);
    let product = world.products.get_any(&membership.product_id);
    let day = std::time::Duration::from_hours(24);
    let period_end = membership.billing_period.map(|days| membership.created_at.plus(day.saturating_mul(days)));
    json!({
        "id": membership.id,
        "account": {
            "id": world.settings.company_id,
            "title": world.settings.company_title,
            "route": "sandbox",
            "logo_url": null,
        },
        "affiliate": null,
        "billing_period_days": membership.billing_period,
        "cancel_at_period_end": membership.cancel_at_period_end,
        "cancel_option": null,
        "canceled_at": membership.canceled_at,
        "cancellation_reason": membership.cancellation_reason,
        "collection_method": "charge_automatically",
        "created_at": membership.created_at,
        "current_period_end": period_end,
        "current_period_start": membership.created_at,
        "expires_at": null,
        "feedback_option": null,
        "initial_price": membership.initial_price.object(),
        "license_key": membership.license_key,
        "manage_url": null,
        "member": null,
        "member_id": person.map(|person| &person.member_id),
        "metadata": membership.metadata,
        "most_recent_action": membership.canceled_at.map(|_| "canceled_on"),
        "most_recent_action_at": membership.canceled_at,
        "phone_number": null,
        "plan_id": membership.plan_id,
        "product": { "id": membership.product_id, "title": product.map(|it| it.title.as_str()), "logo_url": null },
        "product_id": membership.product_id,
        "promo_code_id": null,
        "renewal_price": membership.renewal_price.object(),
        "split_pay_current_payments": null,
        "split_pay_required_payments": null,
        "status": membership.status,
        "updated_at": membership.updated_at,
        "user_id": membership.person_id,
    })
}
