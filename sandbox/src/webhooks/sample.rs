//! Samples for the test button: a small world of its own lives through everything once, and its messages are the samples.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::endpoints;
use crate::api::error::ApiError;
use crate::checkouts::{self, CheckoutInput};
use crate::disputes::{self, DisputeStatus};
use crate::memberships::{self, CancelInput, MembershipInput};
use crate::options::Settings;
use crate::payments::pay::{self, Attempt, Course};
use crate::payments::{Decline, Means, Verdict, card, settle};
use crate::plans::{self, PlanInput};
use crate::products::{self, ProductInput};
use crate::refunds;
use crate::world::World;

/// The `data` of an event as it would look after a first sale; none for events that the sandbox never sends.
pub fn data(settings: &Settings, event: &str) -> Option<Box<RawValue>> {
    #[derive(Deserialize)]
    struct Envelope {
        data: Box<RawValue>,
    }
    let mut world = World::new(Arc::new(Settings { seed: None, ..settings.clone() }));
    endpoints::add(&mut world, "http://sample.invalid/", None);
    // Every step is one that the sandbox itself allows; a step that failed would only leave its event without a sample.
    let _ = live(&mut world);
    let message = world.messages.newest().find(|message| message.event == event)?;
    serde_json::from_str::<Envelope>(&message.body).ok().map(|envelope| envelope.data)
}

fn live(world: &mut World) -> Result<(), ApiError> {
    let title = Some("Sample".to_owned());
    let product = products::create(world, ProductInput { title: title.clone(), ..ProductInput::default() })?;
    products::update(world, &product.id, ProductInput { headline: title.clone(), ..ProductInput::default() })?;
    let price = "7.5".parse().ok();
    let input = PlanInput { product_id: Some(product.id.clone()), title, initial_price: price, ..PlanInput::default() };
    let plan = plans::create(world, input)?;
    plans::update(world, &plan.id, PlanInput::default())?;
    let checkout =
        checkouts::create(world, CheckoutInput { plan_id: Some(plan.id.clone()), ..CheckoutInput::default() })?;
    let refused = tried(world, &checkout.id, Course::Decided(Verdict::Declines(Decline::new("generic_decline"))))?;
    settle::when_due(world, &refused);
    tried(world, &checkout.id, Course::Pending { settles_by_itself: false })?;
    let paid = tried(world, &checkout.id, Course::Decided(Verdict::Succeeds))?;
    settle::when_due(world, &paid);
    let refund = refunds::start(world, &paid, "2.5".parse().ok(), None)?;
    refunds::settle(world, &refund);
    disputes::moved(world, &paid, DisputeStatus::NeedsResponse, None)?;
    disputes::moved(world, &paid, DisputeStatus::Won, None)?;
    let membership = world.memberships.newest().map(|membership| membership.id.clone()).next();
    if let Some(id) = membership {
        let at_end = MembershipInput { cancel_at_period_end: Some(true), ..MembershipInput::default() };
        memberships::update(world, &id, at_end)?;
        memberships::cancel(world, &id, CancelInput::default())?;
    }
    plans::retire(world, &plan.id)?;
    products::retire(world, &product.id)
}

fn tried(world: &mut World, checkout_id: &str, course: Course) -> Result<String, ApiError> {
    let (checkout_id, email) = (checkout_id.to_owned(), Some("buyer@shop.test".to_owned()));
    let means = Means::Card(card::usual());
    pay::attempt(world, Attempt { checkout_id, payment_id: None, email, means, course })
        .map_err(|_| ApiError::server("the sample could not be paid"))
}
