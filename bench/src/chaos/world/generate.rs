//! The past of the storm, thrown by the seed. Shares as in the specification: of the payments 5 % are refunded (partly,
//! repeatedly, in full), 2 % disputed; 3 % of the messages are hostile.

use std::time::Duration;

use sqlx::types::time::OffsetDateTime;

use super::wire::{self, Age};
use super::{Change, Dispute, DisputeStanding, Due, Message, Order, Payment, Refund, RefundStanding, Standing, World};
use crate::chaos::dice::Dice;

/// As many as a small shop has.
pub const BUYERS: usize = 1_000;
/// Some buy often; everybody spends for them.
pub const HOT: usize = 5;
const HOT_PERCENT: u64 = 8;
/// Prices that binary fractions cannot hold are among them.
const OFFERS: [(i64, i64, i64, &str); 9] = [
    (5_000, 0, 750, "usd"),
    (25_000, 2_500, 3_250, "usd"),
    (7_777, 0, 1_999, "usd"),
    (333, 7, 115, "usd"),
    (1_000, 0, 813, "eur"),
    (100_000, 0, 12_990, "usd"),
    (12_001, 11_999, 1_001, "eur"),
    (4_000, 0, 640, "jpy"),
    (3, 0, 1, "usd"),
];
const REFUNDED_PERCENT: u64 = 5;
const DISPUTED_PERCENT: u64 = 2;
const HOSTILE_PERCENT: u64 = 3;
/// How many messages lie between a payment and what goes back of it, at most.
const LATER_MAX: u64 = 400;

/// A message with the moment at which it is written.
struct Told {
    at: u64,
    payment: usize,
    kind: &'static str,
    change: Change,
    due: Due,
}

/// `began` is when the first payment is made: the provider is asked by time.
pub fn world(seed: u64, payments: usize, buyers: usize, company: &str, began: OffsetDateTime) -> World {
    let mut dice = Dice::new(seed, 1);
    let buyers = (0..buyers).map(|_| dice.uuid()).collect();
    let mut world = World { began, buyers, orders: vec![], payments: vec![], messages: vec![] };
    let mut told = Vec::new();
    for number in 0..payments {
        let at = number as u64 * 4;
        order(&mut world, number, &mut dice);
        honest(&mut world, number, at, company, &mut dice, &mut told);
        if dice.below(200) < HOSTILE_PERCENT * 3 {
            hostile(&mut world, number, at, company, &mut dice, &mut told);
        }
    }
    told.sort_by_key(|told| told.at);
    let mut payments = world.payments.clone();
    for (number, told) in told.into_iter().enumerate() {
        payments[told.payment].apply(&told.change);
        let age = if dice.chance(50) { Age::Pinned } else { Age::Legacy };
        let id = format!("msg_Storm{number}");
        let body = wire::body(&id, told.kind, &payments[told.payment], &told.change, &world.orders, age);
        world.messages.push(Message { id, payment: told.payment, change: told.change, body, due: told.due });
    }
    world
}

fn order(world: &mut World, number: usize, dice: &mut Dice) {
    let (credits, bonus, price_minor, currency) = *dice.pick(&OFFERS);
    let buyer = if dice.chance(HOT_PERCENT) { world.buyers[dice.index(HOT)] } else { *dice.pick(&world.buyers) };
    let (checkout, plan) = (format!("ch_Storm{number}"), format!("plan_Storm{number}"));
    world.orders.push(Order { id: dice.uuid(), buyer, credits, bonus, price_minor, currency, checkout, plan });
}

fn payment(world: &mut World, id: String, order: usize, company: &str) -> usize {
    let of = &world.orders[order];
    let payment = Payment {
        id,
        order,
        minor: of.price_minor,
        currency: of.currency,
        account: company.to_owned(),
        checkout: of.checkout.clone(),
        standing: Standing::Open,
        refunds: Vec::new(),
        disputes: Vec::new(),
        is_hostile: false,
        created_at: moment(world.began, world.payments.len()),
    };
    world.payments.push(payment);
    world.payments.len() - 1
}

fn honest(world: &mut World, number: usize, at: u64, company: &str, dice: &mut Dice, told: &mut Vec<Told>) {
    let payment = payment(world, format!("pay_Storm{number}"), number, company);
    let mut tell = |at, kind, change| told.push(Told { at, payment, kind, change, due: Due::Applied });
    if dice.chance(30) {
        tell(at, "payment.created", Change::Payment(Standing::Open));
    }
    let ends = dice.below(100);
    if ends < 6 {
        tell(at + 1, "payment.failed", Change::Payment(Standing::Failed));
    }
    if ends < 3 {
        return;
    }
    if ends == 6 {
        tell(at + 1, "payment.canceled", Change::Payment(Standing::Canceled));
        return;
    }
    tell(at + 2, "payment.succeeded", Change::Payment(Standing::Paid));
    if dice.chance(3) {
        tell(at + 2 + dice.below(LATER_MAX), "payment.succeeded", Change::Nothing);
    }
    let mut at = at + 3;
    let paid = world.orders[number].price_minor;
    if dice.chance(REFUNDED_PERCENT) {
        for (place, minor) in portions(paid, dice).into_iter().enumerate() {
            at = refund(number, place, minor, at, dice, &mut tell);
        }
    }
    if dice.chance(DISPUTED_PERCENT) {
        dispute(number, paid, at, dice, &mut tell);
    }
}

/// In full, partly, or repeatedly; never more than was paid.
fn portions(paid: i64, dice: &mut Dice) -> Vec<i64> {
    let some = |dice: &mut Dice, of: i64| 1 + i64::try_from(dice.below(of.unsigned_abs())).unwrap_or_default();
    let first = some(dice, paid);
    match dice.below(4) {
        0 => vec![paid],
        1 => vec![first],
        2 if first < paid => vec![first, paid - first],
        _ if first + 1 < paid => vec![first, some(dice, paid - first)],
        _ => vec![first],
    }
}

/// When it was told of for the last time.
fn refund(
    number: usize,
    place: usize,
    minor: i64,
    at: u64,
    dice: &mut Dice,
    tell: &mut impl FnMut(u64, &'static str, Change),
) -> u64 {
    let id = format!("rf_Storm{number}x{place}");
    let is_legacy = dice.chance(60);
    let mut say = |at, kind, standing| {
        tell(at, kind, Change::Refund(Refund { id: id.clone(), minor, standing, is_legacy }));
    };
    let at = at + dice.below(LATER_MAX);
    let later = at + 1 + dice.below(LATER_MAX);
    match dice.below(10) {
        0..4 => say(at, "refund.created", RefundStanding::Succeeded),
        4..8 => {
            say(at, "refund.created", RefundStanding::Pending);
            say(later, "refund.updated", RefundStanding::Succeeded);
        }
        8 => {
            say(at, "refund.created", RefundStanding::Pending);
            say(later, "refund.updated", RefundStanding::Failed);
        }
        _ => say(at, "refund.created", RefundStanding::Pending),
    }
    later + 1
}

fn dispute(number: usize, paid: i64, at: u64, dice: &mut Dice, tell: &mut impl FnMut(u64, &'static str, Change)) {
    let id = format!("dspt_Storm{number}");
    let mut say = |at, kind, standing| {
        tell(at, kind, Change::Dispute(Dispute { id: id.clone(), minor: paid, standing }));
    };
    let at = at + dice.below(LATER_MAX);
    say(at, "dispute.created", DisputeStanding::NeedsResponse);
    let reviewed = at + 1 + dice.below(LATER_MAX);
    if dice.chance(50) {
        say(reviewed, "dispute.updated", DisputeStanding::UnderReview);
    }
    let ended = reviewed + 1 + dice.below(LATER_MAX);
    match dice.below(10) {
        0..4 => say(ended, "dispute.updated", DisputeStanding::Won),
        4..8 => say(ended, "dispute.updated", DisputeStanding::Lost),
        _ => {}
    }
}

/// Messages that must move nothing: some never were the provider's, some are, but of another account, for another
/// amount, in another currency, or for an order that nobody made.
fn hostile(world: &mut World, number: usize, at: u64, company: &str, dice: &mut Dice, told: &mut Vec<Told>) {
    let index = payment(world, format!("pay_Evil{number}"), number, company);
    let evil = &mut world.payments[index];
    evil.is_hostile = true;
    let mut due = Due::Quarantined;
    match dice.below(5) {
        0 => due = Due::Refused,
        1 => "biz_Foreign0001".clone_into(&mut evil.account),
        2 => evil.minor = if evil.minor > 1 && dice.chance(50) { evil.minor - 1 } else { evil.minor * 2 },
        3 => evil.currency = if evil.currency == "usd" { "eur" } else { "usd" },
        _ => evil.checkout = format!("ch_Nobody{number}"),
    }
    let change = if due == Due::Refused { Change::Nothing } else { Change::Payment(Standing::Paid) };
    told.push(Told { at: at + dice.below(LATER_MAX), payment: index, kind: "payment.succeeded", change, due });
}

/// A moment, as the provider writes it: one millisecond after the other.
fn moment(began: OffsetDateTime, place: usize) -> String {
    let at = began + Duration::from_millis(place as u64);
    let (date, time) = (at.date(), at.time());
    format!(
        "{}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.millisecond()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_world() {
        let tell = |seed| {
            let world = world(seed, 300, BUYERS, "biz_Test", OffsetDateTime::UNIX_EPOCH);
            world.messages.into_iter().map(|message| message.body).collect::<Vec<_>>()
        };
        assert_eq!(tell(1), tell(1));
        assert_ne!(tell(1), tell(2));
    }

    #[test]
    fn nothing_goes_back_beyond_what_was_paid() {
        let world = world(3, 4_000, BUYERS, "biz_Test", OffsetDateTime::UNIX_EPOCH);
        let mut payments = world.payments.clone();
        for message in &world.messages {
            payments[message.payment].apply(&message.change);
        }
        let refunds = payments.iter().filter(|payment| !payment.refunds.is_empty()).count();
        assert!((100..400).contains(&refunds), "{refunds}");
        assert!(payments.iter().any(|payment| payment.refunds.len() == 2 && payment.lost() > 0));
        assert!(payments.iter().all(|payment| payment.refunded() <= payment.minor));
        let hostile = world.messages.iter().filter(|message| message.due != Due::Applied).count();
        assert!(hostile * 100 / world.messages.len() >= 2, "{hostile}");
    }
}
