//! How states and amounts read, one map per enum.

mod decisions;

pub use self::decisions::{
    SECOND_ADMIN, credit_deed, credit_deed_state, credits_moved, dispute_state, refund_asked, refund_request,
    refund_state,
};

use atlas::events::Received;
use atlas::plans::Terms;
use atlas::plans::desk::Standing;
use domain::ledger::{LotSource, TransactionKind};
use domain::{
    Credits, FailureReason, MirrorState, Money, OrderState, PaymentState, PlanVisibility, Price, Provider, Role,
};
use time::OffsetDateTime;
use time::macros::format_description;

/// A meaning that has its own colour and shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Good,
    Wait,
    Bad,
    Info,
}

impl Tone {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Wait => "wait",
            Self::Bad => "bad",
            Self::Info => "info",
        }
    }

    pub const fn icon(self) -> &'static str {
        match self {
            Self::Good => "check",
            Self::Wait => "clock",
            Self::Bad => "alert",
            Self::Info => "info",
        }
    }
}

pub const fn role(role: Role) -> &'static str {
    match role {
        Role::Buyer => "Buyer",
        Role::Support => "Support",
        Role::Finance => "Finance",
        Role::Admin => "Admin",
    }
}

/// What a role adds to those below it.
pub const fn rights(role: Role) -> &'static str {
    match role {
        Role::Buyer => "Buys credits and sees what is their own.",
        Role::Support => "Reads orders, payments and statements of everybody. Moves no money.",
        Role::Finance => "Refunds, and exports the books.",
        Role::Admin => "Everything else: plans, roles, keys, and deciding about orders by hand.",
    }
}

/// How many requests wait, for whoever answers them.
pub fn requests_wait(waiting: i64) -> String {
    match waiting {
        0 => "No request waits for an answer.".to_owned(),
        1 => "One request waits for an answer.".to_owned(),
        many => format!("{many} requests wait for an answer."),
    }
}

/// How many events need somebody.
pub fn events_wait(waiting: i64) -> String {
    match waiting {
        0 => "None is in quarantine, and none is parked.".to_owned(),
        1 => "One is in quarantine or parked: somebody has to look at it.".to_owned(),
        many => format!("{many} are in quarantine or parked: somebody has to look at them."),
    }
}

pub fn signed_in_at(sessions: usize) -> String {
    match sessions {
        0 => "Nowhere".to_owned(),
        1 => "In one browser".to_owned(),
        many => format!("In {many} browsers"),
    }
}

/// What became of requests that were answered together. `others`: those that somebody else had answered before.
pub fn answered(answered: usize, others: usize, rejected: bool) -> String {
    let verb = if rejected { "rejected" } else { "approved" };
    let done = match answered {
        0 => "Nothing was changed.".to_owned(),
        1 => format!("The request was {verb}."),
        many => format!("{many} requests were {verb}."),
    };
    match others {
        0 => done,
        1 => format!("{done} One did not wait any more: somebody else had answered it before."),
        many => format!("{done} {many} did not wait any more: somebody else had answered them before."),
    }
}

/// What became of an event that was applied again.
pub fn replayed(received: &Received) -> String {
    match received {
        Received::Applied => "Applied: what it is about is up to date with it.".to_owned(),
        Received::Duplicate => "Nothing to do: it was dealt with before.".to_owned(),
        Received::Ignored => "Ignored: it is of no concern to us.".to_owned(),
        Received::Waiting => "Still waiting: the payment that it is about is not known.".to_owned(),
        Received::Quarantined(why) => format!("Still in quarantine: {}.", why.replace('_', " ")),
        Received::Parked => "Still parked: it failed again, and the log says why.".to_owned(),
    }
}

pub fn sessions_ended(ended: u64) -> String {
    match ended {
        0 => "Nobody was signed in there.".to_owned(),
        1 => "One session is over.".to_owned(),
        many => format!("{many} sessions are over."),
    }
}

/// Whose checkout somebody gets from now on.
pub fn path_set(path: Option<Provider>) -> String {
    match path {
        None => "They order as everybody does now.".to_owned(),
        Some(Provider::Manual) => "Their new orders go by request now, whatever holds for others.".to_owned(),
        Some(provider) => format!("Their new orders go through {} now, whatever holds for others.", provider.title()),
    }
}

pub fn limit_set(limit: Option<Credits>) -> String {
    match limit {
        None => "They may buy without a limit now.".to_owned(),
        Some(limit) => format!("They may buy at most {limit} credits within 24 hours now."),
    }
}

/// How many people go another way than everybody.
pub fn set_apart(people: i64) -> String {
    match people {
        0 => "Nobody has a payment path of their own.".to_owned(),
        1 => "One person has a payment path of their own.".to_owned(),
        many => format!("{many} people have a payment path of their own."),
    }
}

/// What stands with an event, by its state in the inbox.
pub fn event_state(state: &str) -> (&'static str, Tone) {
    match state {
        "applied" => ("Applied", Tone::Good),
        "ignored" => ("Ignored", Tone::Info),
        "waiting" => ("Waits for its payment", Tone::Wait),
        "quarantined" => ("In quarantine", Tone::Bad),
        "parked" => ("Parked", Tone::Bad),
        _ => ("Received", Tone::Wait),
    }
}

pub const fn plan_standing(standing: Standing) -> (&'static str, Tone) {
    match standing {
        Standing::OnSale => ("On sale", Tone::Good),
        Standing::OffSale => ("Off sale", Tone::Wait),
        Standing::Retired => ("Retired", Tone::Info),
    }
}

/// When credits of a plan are over.
pub fn credits_end(after_days: Option<i32>) -> String {
    match after_days {
        None => "Never".to_owned(),
        Some(1) => "A day after they arrive".to_owned(),
        Some(days) => format!("{days} days after they arrive"),
    }
}

/// `25,000 + 2,500`, for tables.
pub fn with_bonus(credits: Credits, bonus: Credits) -> String {
    if bonus > Credits::ZERO { format!("{credits} + {bonus}") } else { credits.to_string() }
}

/// `25,000 credits and 2,500 bonus credits`.
pub fn credits_given(credits: Credits, bonus: Credits) -> String {
    if bonus > Credits::ZERO {
        format!("{credits} credits and {bonus} bonus credits")
    } else {
        format!("{credits} credits")
    }
}

pub const fn plan_visibility(visibility: PlanVisibility) -> &'static str {
    match visibility {
        PlanVisibility::Listed => "Everybody, on the page of plans",
        PlanVisibility::Unlisted => "Only who has the link",
    }
}

pub const fn mirror_state(state: MirrorState) -> (&'static str, Tone) {
    match state {
        MirrorState::Waiting => ("Waits for Whop", Tone::Wait),
        MirrorState::InStep => ("In step", Tone::Good),
        MirrorState::Drifted => ("Differs at Whop", Tone::Bad),
        MirrorState::Failed => ("Refused by Whop", Tone::Bad),
    }
}

pub const fn lot_source(source: LotSource) -> &'static str {
    match source {
        LotSource::Purchase => "Bought",
        LotSource::Manual => "Approved by hand",
        LotSource::Promo => "Given",
        LotSource::Subscription => "Subscription",
        LotSource::Refund => "Given back",
        LotSource::Transfer => "Transferred",
        LotSource::Bonus => "Bonus",
    }
}

pub const fn payment_state(state: PaymentState) -> (&'static str, Tone) {
    match state {
        PaymentState::Created => ("Begun", Tone::Wait),
        PaymentState::RequiresAction => ("Waits for the buyer", Tone::Wait),
        PaymentState::Pending => ("Waits for the bank", Tone::Wait),
        PaymentState::Canceled => ("Canceled", Tone::Bad),
        PaymentState::Failed => ("Failed", Tone::Bad),
        PaymentState::Succeeded => ("Paid", Tone::Good),
    }
}

pub const fn order_state(state: OrderState) -> (&'static str, Tone) {
    match state {
        OrderState::Created => ("Starting", Tone::Wait),
        OrderState::Opened => ("Waiting for payment", Tone::Wait),
        OrderState::Processing => ("Processing", Tone::Wait),
        OrderState::Paid => ("Paid", Tone::Good),
        OrderState::Failed => ("Not paid", Tone::Bad),
        OrderState::Expired => ("Expired", Tone::Info),
        OrderState::UnderReview => ("Under review", Tone::Wait),
        OrderState::Requested => ("Requested", Tone::Wait),
        OrderState::Approved => ("Approved", Tone::Good),
        OrderState::Rejected => ("Declined", Tone::Bad),
    }
}

pub const fn failure(reason: FailureReason) -> &'static str {
    match reason {
        FailureReason::CheckoutUnavailable => "The checkout could not be opened.",
        FailureReason::Declined => "The card was declined.",
        FailureReason::InsufficientFunds => "The card has too little funds for this payment.",
        FailureReason::ExpiredCard => "The card has expired.",
        FailureReason::AuthenticationFailed => "The bank could not confirm that it was you.",
        FailureReason::Canceled => "The payment was canceled.",
    }
}

pub const fn transaction_kind(kind: TransactionKind) -> &'static str {
    match kind {
        TransactionKind::Grant => "Credits added",
        TransactionKind::Bonus => "Bonus credits added",
        TransactionKind::Spend | TransactionKind::Capture => "Credits spent",
        TransactionKind::Expire => "Credits expired",
        TransactionKind::Clawback => "Credits taken back",
        TransactionKind::Reinstate => "Credits given back",
        TransactionKind::Transfer => "Transfer",
        TransactionKind::Adjust => "Adjustment",
    }
}

pub fn price(price: Price) -> String {
    match price {
        Price::Fixed(money) => money.to_string(),
        Price::ByAgreement => "By agreement".to_owned(),
    }
}

/// What a plan costs in further currencies: `€6.90, ¥1,150`. None: in no other.
pub fn listed(others: &[Money]) -> Option<String> {
    let others: Vec<String> = others.iter().map(Money::to_string).collect();
    (!others.is_empty()).then(|| others.join(", "))
}

/// What a plan costs in each of its currencies: `$7.50, €6.90, ¥1,150`.
pub fn prices(terms: &Terms) -> String {
    let main = price(terms.price);
    listed(&terms.other_prices).map_or_else(|| main.clone(), |others| format!("{main}, {others}"))
}

/// `21 Nov 2026, 14:05 UTC`; the browser shows the reader's own zone beside it.
pub fn moment(at: OffsetDateTime) -> String {
    let form = format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC");
    at.to_offset(time::UtcOffset::UTC).format(form).unwrap_or_default()
}

/// `14:05`.
pub fn clock_time(at: OffsetDateTime) -> String {
    let form = format_description!("[hour]:[minute]");
    at.to_offset(time::UtcOffset::UTC).format(form).unwrap_or_default()
}

/// `Saturday, 21 November 2026`.
pub fn day(day: time::Date) -> String {
    let form = format_description!("[weekday], [day padding:none] [month repr:long] [year]");
    day.format(form).unwrap_or_default()
}

/// `2026-11-21T14:05:00Z`, for machines.
pub fn machine_time(at: OffsetDateTime) -> String {
    at.to_offset(time::UtcOffset::UTC).format(&time::format_description::well_known::Rfc3339).unwrap_or_default()
}
