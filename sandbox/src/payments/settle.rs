//! The bank's decision: a payment under way becomes paid, or fails and stays open for another try.

use super::pay::announce;
use super::{Decline, Status, Substatus, Verdict};
use crate::clock::Moment;
use crate::memberships;
use crate::world::World;

/// Decides a payment whose time has come. Anything else is left alone.
pub fn when_due(world: &mut World, id: &str) {
    let due = world.payments.get(id).and_then(|payment| payment.due.clone());
    if let Some(due) = due {
        decide(world, id, due.verdict);
    }
}

/// Decides a payment on the slow rail at once; false if there is none to decide.
pub fn pending(world: &mut World, id: &str, verdict: Verdict) -> bool {
    let waits = world.payments.get(id).is_some_and(|payment| payment.status == Status::Pending);
    if waits {
        decide(world, id, verdict);
    }
    waits
}

fn decide(world: &mut World, id: &str, verdict: Verdict) {
    match verdict {
        Verdict::Succeeds => succeed(world, id),
        Verdict::Declines(decline) => fail(world, id, decline),
    }
}

fn succeed(world: &mut World, id: &str) {
    let now = Moment::now();
    let Some(payment) = world.payments.edit(id).filter(|payment| payment.status != Status::Paid) else { return };
    payment.status = Status::Paid;
    payment.substatus = Substatus::Succeeded;
    payment.paid_at = Some(now);
    payment.updated_at = now;
    payment.decline = None;
    payment.due = None;
    let bought = payment.clone();
    // Only a product's plan gives access to something.
    let membership = bought.product_id.is_some().then(|| memberships::begin(world, &bought)).flatten();
    if let Some(payment) = world.payments.edit(id) {
        payment.membership_id.clone_from(&membership);
    }
    announce(world, "payment.succeeded", id);
    if let Some(membership) = membership {
        memberships::announce_activation(world, &membership);
    }
}

fn fail(world: &mut World, id: &str, decline: Decline) {
    let Some(payment) = world.payments.edit(id).filter(|payment| payment.status != Status::Paid) else { return };
    payment.status = Status::Open;
    payment.substatus = Substatus::Failed;
    payment.decline = Some(decline);
    payment.failures += 1;
    payment.updated_at = Moment::now();
    payment.due = None;
    announce(world, "payment.failed", id);
}
