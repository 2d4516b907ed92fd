//! Refunds: recorded at once, settled a moment later, with two webhooks in the older shape.

pub mod view;

use serde::{Deserialize, Serialize};

use crate::api::error::ApiError;
use crate::clock::Moment;
use crate::money::{Amount, Decimal};
use crate::payments::{Payment, Status};
use crate::people::Metadata;
use crate::webhooks::emit;
use crate::world::{Due, Record, Timer, World};

/// Whop's refund states that the sandbox reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    Pending,
    Succeeded,
}

/// Money on its way back, or returned.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refund {
    pub id: String,
    pub payment_id: String,
    pub amount: Amount,
    pub status: RefundStatus,
    pub metadata: Option<Metadata>,
    pub due: Option<Moment>,
    pub created_at: Moment,
    pub updated_at: Moment,
}

impl Record for Refund {
    const KIND: &'static str = "refund";

    fn id(&self) -> &str {
        &self.id
    }

    fn created_at(&self) -> Moment {
        self.created_at
    }
}

/// Starts a refund. Without an amount, or with one that covers everything left, the rest goes back.
pub fn start(
    world: &mut World,
    payment_id: &str,
    amount: Option<Decimal>,
    metadata: Option<Metadata>,
) -> Result<String, ApiError> {
    let payment = world.payments.get(payment_id).ok_or(ApiError::not_found("Payment"))?;
    let left = left_to_refund(world, payment)?;
    let wanted = match amount {
        None => left,
        Some(decimal) => decimal
            .in_currency(payment.total.currency)
            .map_err(|why| ApiError::bad(format!("partial_amount {why}")))
            .and_then(|amount| {
                if amount.minor == 0 { Err(ApiError::bad("partial_amount must be above 0")) } else { Ok(amount) }
            })?,
    };
    let amount = Amount::new(wanted.minor.min(left.minor), left.currency);
    let now = Moment::now();
    let at = now.plus(world.settings.settle);
    let refund = Refund {
        id: world.ids.fresh("rf_"),
        payment_id: payment_id.to_owned(),
        amount,
        status: RefundStatus::Pending,
        metadata,
        due: Some(at),
        created_at: now,
        updated_at: now,
    };
    let id = refund.id.clone();
    world.refunds.put(refund);
    world.timers.push(Timer { at, due: Due::Refund(id.clone()) });
    announce(world, "refund.created", &id);
    Ok(id)
}

/// Settles a refund whose time has come: only now does its payment change.
pub fn settle(world: &mut World, id: &str) {
    let now = Moment::now();
    let Some(refund) = world.refunds.edit(id).filter(|refund| refund.status == RefundStatus::Pending) else { return };
    refund.status = RefundStatus::Succeeded;
    refund.due = None;
    refund.updated_at = now;
    let (payment_id, minor) = (refund.payment_id.clone(), refund.amount.minor);
    if let Some(payment) = world.payments.edit(&payment_id) {
        payment.refunded_minor += minor;
        payment.refunded_at = Some(now);
        payment.updated_at = now;
        // A dispute that began meanwhile keeps its word.
        if !payment.is_disputed() {
            payment.substatus = payment.substatus_by_refunds();
        }
    }
    announce(world, "refund.updated", id);
}

/// What can still go back: what was paid, less every refund, settled or not.
fn left_to_refund(world: &World, payment: &Payment) -> Result<Amount, ApiError> {
    if payment.status != Status::Paid {
        return Err(ApiError::bad("This payment is not paid, so it cannot be refunded"));
    }
    if payment.is_disputed() {
        return Err(ApiError::bad("This payment is disputed and cannot be refunded"));
    }
    let refunds = world.refunds.newest().filter(|refund| refund.payment_id == payment.id);
    let left = payment.total.plus(-refunds.map(|refund| refund.amount.minor).sum::<i64>());
    if left.minor <= 0 || (!payment.is_refundable() && payment.refunded_minor < payment.total.minor) {
        return Err(ApiError::bad("This payment is not refundable"));
    }
    Ok(left)
}

fn announce(world: &mut World, event: &str, id: &str) {
    let Some(refund) = world.refunds.get(id) else { return };
    let payment_id = refund.payment_id.clone();
    let data = view::legacy(world, refund);
    emit::event(world, event, &data, Some(&payment_id));
}
