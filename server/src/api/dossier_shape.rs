//! An order with what was paid for it and booked, as it is sent to those who look after it.

use atlas::orders::dossier::{Answered, Booking, Dossier, Payment};
use domain::ledger::TransactionKind;
use domain::{Credits, Currency, OrderId, OrderState, PaymentState, PersonId, Provider, TransactionId};
use serde::Serialize;
use utoipa::ToSchema;

use super::orders::price;
use super::shapes::{self, Instant};

/// One order, whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderDossier {
    #[schema(value_type = uuid::Uuid)]
    id: OrderId,
    #[schema(value_type = uuid::Uuid)]
    buyer_id: PersonId,
    buyer_email: String,
    buyer_name: String,
    plan_name: String,
    /// As they were ordered; `answer` says what an admin gave.
    #[schema(value_type = i64)]
    credits: Credits,
    /// In the currency's smallest unit; null: by agreement.
    #[schema(required = true)]
    price_minor: Option<i64>,
    #[schema(value_type = Option<String>, required = true)]
    currency: Option<Currency>,
    #[schema(schema_with = shapes::provider)]
    provider: Provider,
    #[schema(schema_with = shapes::order_state)]
    state: OrderState,
    #[schema(required = true)]
    failure_message: Option<String>,
    #[schema(required = true)]
    note: Option<String>,
    /// The provider's id of its checkout.
    #[schema(required = true)]
    checkout_id: Option<String>,
    created_at: Instant,
    changed_at: Instant,
    #[schema(required = true)]
    settled_at: Option<Instant>,
    /// How a request was answered.
    #[schema(required = true)]
    answer: Option<AnswerGiven>,
    payments: Vec<OrderPayment>,
    /// What the ledger booked for it, oldest first.
    ledger: Vec<LedgerTransaction>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AnswerGiven {
    /// The address of who did; null: an operator, by a command.
    #[schema(required = true)]
    by: Option<String>,
    reason: String,
    /// Null: declined.
    #[schema(value_type = Option<i64>, required = true)]
    credits: Option<Credits>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct OrderPayment {
    /// The provider's.
    id: String,
    #[schema(schema_with = shapes::payment_state)]
    state: PaymentState,
    /// For the goods; null while nothing was collected.
    #[schema(required = true)]
    amount_minor: Option<i64>,
    refunded_minor: i64,
    #[schema(value_type = Option<String>, required = true)]
    currency: Option<Currency>,
    #[schema(required = true)]
    failure_message: Option<String>,
    #[schema(required = true)]
    paid_at: Option<Instant>,
    /// Whether its credits were given.
    granted: bool,
    /// Credits taken back for it so far, and those that wait for a decision.
    #[schema(value_type = i64)]
    taken_credits: Credits,
    #[schema(value_type = i64)]
    frozen_credits: Credits,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct LedgerTransaction {
    #[schema(value_type = uuid::Uuid)]
    id: TransactionId,
    #[schema(schema_with = shapes::transaction_kind)]
    kind: TransactionKind,
    description: String,
    /// Who had it booked: `provider:…`, `admin:ID`.
    actor: String,
    /// Negative where credits were taken.
    #[schema(value_type = i64)]
    credits: Credits,
    #[schema(value_type = i64)]
    debt_change: Credits,
    #[schema(value_type = i64)]
    balance_after: Credits,
    created_at: Instant,
}

impl From<Dossier> for OrderDossier {
    fn from(dossier: Dossier) -> Self {
        let order = dossier.order;
        let (price_minor, currency) = price(order.price);
        Self {
            id: order.id,
            buyer_id: order.buyer,
            buyer_email: order.buyer_email,
            buyer_name: order.buyer_name,
            plan_name: order.plan_name,
            credits: order.credits,
            price_minor,
            currency,
            provider: order.provider,
            state: order.state,
            failure_message: order.failure_message,
            note: order.note,
            checkout_id: order.checkout_id,
            created_at: Instant(order.created_at),
            changed_at: Instant(order.changed_at),
            settled_at: order.settled_at.map(Instant),
            answer: order.answer.map(AnswerGiven::from),
            payments: dossier.payments.into_iter().map(OrderPayment::from).collect(),
            ledger: dossier.bookings.into_iter().map(LedgerTransaction::from).collect(),
        }
    }
}

impl From<Answered> for AnswerGiven {
    fn from(answer: Answered) -> Self {
        Self { by: answer.by, reason: answer.reason, credits: answer.granted }
    }
}

impl From<Payment> for OrderPayment {
    fn from(payment: Payment) -> Self {
        Self {
            id: payment.id,
            state: payment.state,
            amount_minor: payment.amount.map(|amount| amount.minor),
            refunded_minor: payment.refunded.map_or(0, |refunded| refunded.minor),
            currency: payment.amount.or(payment.refunded).map(|money| money.currency),
            failure_message: payment.failure_message,
            paid_at: payment.paid_at.map(Instant),
            granted: payment.granted,
            taken_credits: payment.taken,
            frozen_credits: payment.frozen,
        }
    }
}

impl From<Booking> for LedgerTransaction {
    fn from(booking: Booking) -> Self {
        Self {
            id: booking.transaction,
            kind: booking.kind,
            description: booking.description,
            actor: booking.actor,
            credits: booking.net,
            debt_change: booking.debt_change,
            balance_after: booking.balance_after,
            created_at: Instant(booking.at),
        }
    }
}
