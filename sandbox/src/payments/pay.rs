//! A buyer's try to pay: makes the payment, or takes up the open one, and lets the bank decide a moment later.

use std::time::Duration;

use super::{Decline, Means, Payment, Settlement, Status, Substatus, Verdict, view};
use crate::clock::Moment;
use crate::people::{self};
use crate::webhooks::emit;
use crate::world::{Due, Timer, World};

/// What the buyer does.
pub struct Attempt {
    pub checkout_id: String,
    /// An open payment of this checkout to try again.
    pub payment_id: Option<String>,
    pub email: Option<String>,
    pub means: Means,
    pub course: Course,
}

/// What comes of it.
pub enum Course {
    /// Decided once the usual settling time is over.
    Decided(Verdict),
    /// Waits for the buyer to answer their bank.
    Challenge,
    /// A slow rail that settles by itself, or only when the control route says so.
    Pending { settles_by_itself: bool },
}

/// Why nothing was tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoTry {
    /// No such checkout, or its plan is no longer sold.
    UnknownCheckout,
    /// The payment is not this checkout's, or is already decided or under way.
    NotOpen,
}

/// Tries to pay; the payment's id comes back at once, its outcome later.
pub fn attempt(world: &mut World, attempt: Attempt) -> Result<String, NoTry> {
    let id = match &attempt.payment_id {
        Some(id) => reopened(world, id, &attempt.checkout_id)?,
        None => created(world, &attempt)?,
    };
    let settle = world.settings.settle;
    let debit_wait = world.faults.bank_debit_settle_ms.map_or(settle, Duration::from_millis);
    let debit_waits_for_control = world.faults.bank_debit_hold;
    let now = Moment::now();
    let payment = world.payments.edit(&id).ok_or(NoTry::NotOpen)?;
    payment.means = Some(attempt.means);
    payment.last_try_at = Some(now);
    payment.updated_at = now;
    let mut event = None;
    payment.due = match attempt.course {
        Course::Decided(verdict) => Some(Settlement { at: now.plus(settle), verdict }),
        Course::Challenge => {
            payment.challenged = true;
            None
        }
        Course::Pending { settles_by_itself } => {
            (payment.status, payment.substatus) = (Status::Pending, Substatus::Pending);
            event = Some("payment.pending");
            let by_itself = settles_by_itself && !debit_waits_for_control;
            by_itself.then(|| Settlement { at: now.plus(debit_wait), verdict: Verdict::Succeeds })
        }
    };
    let timer = payment.due.as_ref().map(|due| Timer { at: due.at, due: Due::Payment(id.clone()) });
    world.timers.extend(timer);
    if let Some(event) = event {
        announce(world, event, &id);
    }
    Ok(id)
}

/// Ends a 3-D Secure challenge: the bank then decides as after any card try.
pub fn answer_challenge(world: &mut World, id: &str, passed: bool) -> Result<(), NoTry> {
    let settle = world.settings.settle;
    let payment = world.payments.edit(id).filter(|it| it.challenged && it.may_be_tried()).ok_or(NoTry::NotOpen)?;
    let at = Moment::now().plus(settle);
    let verdict = if passed { Verdict::Succeeds } else { Verdict::Declines(Decline::new("three_d_secure_failed")) };
    payment.challenged = false;
    payment.three_ds_verified = passed;
    payment.due = Some(Settlement { at, verdict });
    world.timers.push(Timer { at, due: Due::Payment(id.to_owned()) });
    Ok(())
}

/// Sends a payment's webhook with the payment as it is now.
pub fn announce(world: &mut World, event: &str, id: &str) {
    if let Some(data) = world.payments.get(id).map(|payment| view::payment(world, payment, view::Reading::Single)) {
        emit::event(world, event, &data, Some(id));
    }
}

fn reopened(world: &World, id: &str, checkout_id: &str) -> Result<String, NoTry> {
    let payment = world.payments.get(id).filter(|it| it.checkout_id == checkout_id && it.may_be_tried());
    payment.map(|payment| payment.id.clone()).ok_or(NoTry::NotOpen)
}

fn created(world: &mut World, attempt: &Attempt) -> Result<String, NoTry> {
    let checkout = world.checkouts.get(&attempt.checkout_id).cloned().ok_or(NoTry::UnknownCheckout)?;
    let plan = world.plans.get(&checkout.plan_id).cloned().ok_or(NoTry::UnknownCheckout)?;
    let person = people::visitor(world, attempt.email.as_deref());
    let now = Moment::now();
    let payment = Payment {
        id: world.ids.fresh("pay_"),
        line_item_id: world.ids.fresh("li_"),
        client_secret: world.ids.fresh("sandbox_client_secret_"),
        label: label(world, &plan),
        total: plan.terms.due_at_once(),
        checkout_id: checkout.id,
        plan_id: plan.id,
        product_id: plan.terms.product_id,
        person_id: person.id,
        membership_id: None,
        metadata: checkout.metadata,
        refunded_minor: 0,
        refunded_at: None,
        status: Status::Open,
        substatus: Substatus::Incomplete,
        means: None,
        decline: None,
        failures: 0,
        three_ds_verified: false,
        challenged: false,
        due: None,
        created_at: now,
        updated_at: now,
        last_try_at: None,
        paid_at: None,
    };
    let id = payment.id.clone();
    world.payments.put(payment);
    announce(world, "payment.created", &id);
    Ok(id)
}

/// What the buyer reads: the plan's title, else the product's, else a plain word.
pub fn label(world: &World, plan: &crate::plans::Plan) -> String {
    let product = plan.terms.product_id.as_ref().and_then(|id| world.products.get_any(id));
    let title = plan.terms.title.clone().or_else(|| product.map(|product| product.title.clone()));
    title.unwrap_or_else(|| "One-time purchase".to_owned())
}
