//! What a payment of Whop's says, in our own words. Pure: the same for a webhook and for an answer.

use domain::{FailureReason, Money, PaymentState, Provider};

use super::wire::payment::{Payment, PaymentStatus, PaymentSubstatus, TaxBehavior};
use super::{decline, text};
use crate::events::{Failure, PaymentFacts};

/// Why a payment can't be put into our words. Nothing is concluded from it; a person has to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.as_str())]
pub enum Unfit {
    /// Not the shape that the API promises, or the same field twice.
    Shape,
    /// An id that Whop would not make.
    Id,
    /// Two different accounts are named.
    Account,
    /// A status that we don't know: never taken for paid.
    UnknownStatus,
    /// What happened and how the payment stands contradict each other.
    StateMismatch,
    /// Collected, but how much can't be read exactly.
    Amount,
}

impl Unfit {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shape => "unreadable_payment",
            Self::Id => "unreadable_id",
            Self::Account => "account_mismatch",
            Self::UnknownStatus => "unknown_status",
            Self::StateMismatch => "state_mismatch",
            Self::Amount => "unreadable_amount",
        }
    }
}

/// Everything that a payment says, in the state that it is in.
pub fn facts(payment: &Payment) -> Result<PaymentFacts, Unfit> {
    facts_in_state(payment, state(payment)?)
}

/// Everything that a payment says, in a state that is known from elsewhere too.
pub fn facts_in_state(payment: &Payment, state: PaymentState) -> Result<PaymentFacts, Unfit> {
    let id = |id: &str| if text::is_id(id) { Ok(id.to_owned()) } else { Err(Unfit::Id) };
    if let (Some(account), Some(company)) = (&payment.account_id, &payment.company)
        && *account != company.id
    {
        return Err(Unfit::Account);
    }
    Ok(PaymentFacts {
        provider: Provider::Whop,
        payment_id: id(&payment.id)?,
        account: payment.account().map(id).transpose()?,
        checkout_id: payment.checkout_configuration_id.as_deref().map(id).transpose()?,
        order_hint: payment.metadata.get("order_id").and_then(|order| order.parse().ok()),
        state,
        paid: if state == PaymentState::Succeeded { Some(paid(payment)?) } else { None },
        charged: if state == PaymentState::Succeeded { charged(payment) } else { None },
        paid_at: payment.paid_at,
        method: method(payment),
        failure: failure(payment, state),
        refunded: refunded(payment)?,
        disputed: is_disputed(payment),
    })
}

/// How far a payment has come (Whop API, payment states). Collected is `paid`, and it stays so after refunds and disputes:
/// they show in the substatus.
pub fn state(payment: &Payment) -> Result<PaymentState, Unfit> {
    Ok(match payment.status {
        PaymentStatus::Paid => PaymentState::Succeeded,
        PaymentStatus::Open => outstanding(payment),
        PaymentStatus::Draft => PaymentState::Created,
        // Authorized is held on the card, but not collected.
        PaymentStatus::Pending | PaymentStatus::Authorized => PaymentState::Pending,
        PaymentStatus::Void => PaymentState::Canceled,
        PaymentStatus::Uncollectible | PaymentStatus::Unresolved => PaymentState::Failed,
        PaymentStatus::Other(_) => return Err(Unfit::UnknownStatus),
    })
}

/// Whether the buyer or their bank fights it, or has won.
fn is_disputed(payment: &Payment) -> bool {
    let Some(substatus) = &payment.substatus else { return false };
    let word = substatus.as_str();
    !matches!(word, "dispute_won" | "dispute_warning_closed" | "resolution_won")
        && ["dispute", "resolution"].iter().any(|sign| word.contains(sign))
}

/// What was paid back so far. A substatus that says so without an amount means all of it, or an amount to be asked for.
fn refunded(payment: &Payment) -> Result<Option<Money>, Unfit> {
    let said = match &payment.refunded_amount {
        Some(amount) => Some(amount.money(payment.currency.as_deref()).map_err(|_| Unfit::Amount)?),
        None => None,
    };
    if said.is_some_and(|refunded| refunded.minor < 0) {
        return Err(Unfit::Amount);
    }
    Ok(said.filter(|refunded| refunded.minor > 0).or_else(|| match payment.substatus {
        Some(PaymentSubstatus::Refunded | PaymentSubstatus::AutoRefunded) => charged(payment),
        Some(PaymentSubstatus::PartiallyRefunded) => charged(payment).map(|charged| Money::new(0, charged.currency)),
        _ => None,
    }))
}

/// `open` is said before the first try and after each failed one.
fn outstanding(payment: &Payment) -> PaymentState {
    match payment.substatus {
        Some(PaymentSubstatus::Failed | PaymentSubstatus::Blocked | PaymentSubstatus::PriceTooLow) => {
            PaymentState::Failed
        }
        Some(PaymentSubstatus::Canceled) => PaymentState::Canceled,
        _ if payment.recovery_url.is_some() => PaymentState::RequiresAction,
        _ => PaymentState::Created,
    }
}

/// What was paid for the goods. `total` is after any discount and with the tax that is added on top, without the
/// buyer's fees; so a tax that is `exclusive` comes off again, and a tax inside the price (any other behaviour) stays.
fn paid(payment: &Payment) -> Result<Money, Unfit> {
    let currency = payment.currency.as_deref();
    let total = payment.total.as_ref().ok_or(Unfit::Amount)?.money(currency).map_err(|_| Unfit::Amount)?;
    let Some(tax) = payment.tax_amount.as_ref().filter(|_| payment.tax_behavior == Some(TaxBehavior::Exclusive)) else {
        return if total.minor >= 0 { Ok(total) } else { Err(Unfit::Amount) };
    };
    let tax = tax.money(currency).map_err(|_| Unfit::Amount)?;
    let goods = total.minor.checked_sub(tax.minor).filter(|goods| *goods >= 0 && tax.minor >= 0);
    goods.filter(|_| tax.currency == total.currency).map(|goods| Money::new(goods, total.currency)).ok_or(Unfit::Amount)
}

/// What the buyer was charged, the tax added on top included.
fn charged(payment: &Payment) -> Option<Money> {
    payment.total.as_ref()?.money(payment.currency.as_deref()).ok()
}

/// `visa •••• 4242`, or what Whop calls it, or the kind of method.
fn method(payment: &Payment) -> Option<String> {
    let card = payment.card().and_then(|card| {
        let last4 = card.last4.as_deref().filter(|text| text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit()))?;
        Some(format!("{} •••• {last4}", card.brand.as_deref().unwrap_or("card")))
    });
    let named = || payment.payment_instrument.as_ref()?.display_name.clone();
    text::clean(&card.or_else(named).or_else(|| payment.payment_method_type.clone())?)
}

fn failure(payment: &Payment, state: PaymentState) -> Option<Failure> {
    let reason = match state {
        PaymentState::Failed => decline::reason(payment.decline_code.as_deref()),
        PaymentState::Canceled => FailureReason::Canceled,
        _ => return None,
    };
    Some(Failure { reason, message: payment.failure_message.as_deref().and_then(text::clean) })
}
