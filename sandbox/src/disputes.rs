//! Disputes: a buyer asks their bank for the money back. The control route moves them through Whop's states.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::error::ApiError;
use crate::clock::Moment;
use crate::money::{Amount, Currency, JsonNumber, MoneyObject};
use crate::payments::view::method_type;
use crate::payments::{Means, Payment, Status, Substatus};
use crate::webhooks::emit;
use crate::world::{Record, World};

/// Whop's dispute states.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    NeedsResponse,
    WarningNeedsResponse,
    UnderReview,
    WarningUnderReview,
    Won,
    Lost,
    Prevented,
    WarningClosed,
}

impl DisputeStatus {
    fn is_open(self) -> bool {
        !matches!(self, Self::Won | Self::Lost | Self::Prevented | Self::WarningClosed)
    }

    /// Not yet a chargeback.
    fn is_inquiry(self) -> bool {
        matches!(self, Self::WarningNeedsResponse | Self::WarningUnderReview | Self::WarningClosed)
    }

    fn substatus(self) -> Substatus {
        match self {
            Self::NeedsResponse => Substatus::DisputeNeedsResponse,
            Self::WarningNeedsResponse => Substatus::DisputeWarningNeedsResponse,
            Self::UnderReview => Substatus::DisputeUnderReview,
            Self::WarningUnderReview => Substatus::DisputeWarningUnderReview,
            Self::Won => Substatus::DisputeWon,
            Self::Lost => Substatus::DisputeLost,
            Self::WarningClosed => Substatus::DisputeWarningClosed,
            Self::Prevented => Substatus::DisputeClosed,
        }
    }
}

/// One dispute about one payment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dispute {
    pub id: String,
    pub payment_id: String,
    pub status: DisputeStatus,
    pub reason: String,
    pub amount: Amount,
    pub created_at: Moment,
    pub updated_at: Moment,
}

impl Record for Dispute {
    const KIND: &'static str = "dispute";

    fn id(&self) -> &str {
        &self.id
    }

    fn created_at(&self) -> Moment {
        self.created_at
    }
}

/// Opens a dispute about a payment, or moves the one there is. A decided dispute can be decided otherwise; a new open state
/// after a decision opens a new dispute.
pub fn moved(
    world: &mut World,
    payment_id: &str,
    status: DisputeStatus,
    reason: Option<String>,
) -> Result<String, ApiError> {
    let payment = world.payments.get(payment_id).ok_or(ApiError::not_found("Payment"))?;
    if payment.status != Status::Paid {
        return Err(ApiError::bad("This payment is not paid, so it cannot be disputed"));
    }
    let amount = payment.total.plus(-payment.refunded_minor);
    let newest = world.disputes.newest().find(|dispute| dispute.payment_id == payment_id);
    let current = newest.filter(|dispute| dispute.status.is_open() || !status.is_open()).map(|it| it.id.clone());
    let now = Moment::now();
    let (id, event) = match current {
        Some(id) => (id, "dispute.updated"),
        None => (world.ids.fresh("dspt_"), "dispute.created"),
    };
    if let Some(dispute) = world.disputes.edit(&id) {
        (dispute.status, dispute.updated_at) = (status, now);
        dispute.reason = reason.unwrap_or_else(|| dispute.reason.clone());
    } else {
        world.disputes.put(Dispute {
            id: id.clone(),
            payment_id: payment_id.to_owned(),
            status,
            reason: reason.unwrap_or_else(|| "fraudulent".to_owned()),
            amount,
            created_at: now,
            updated_at: now,
        });
    }
    if let Some(payment) = world.payments.edit(payment_id) {
        (payment.substatus, payment.updated_at) = (status.substatus(), now);
    }
    if let Some(data) = world.disputes.get(&id).map(|dispute| view(world, dispute)) {
        emit::event(world, event, &data, Some(payment_id));
    }
    Ok(id)
}

/// The dispute as the API shows it and its webhooks carry it (Whop API, `Dispute`).
#[derive(Serialize)]
pub struct DisputeView {
    id: String,
    acceptable: bool,
    account_id: String,
    amount: JsonNumber,
    buyer: Value,
    created_at: Moment,
    currency: Currency,
    evidence: Value,
    evidence_due_at: Moment,
    evidence_editable: bool,
    evidence_locked_reason: Option<&'static str>,
    evidence_submitted_at: Option<()>,
    fee: MoneyObject,
    inquiry: bool,
    issuer_comments: [(); 0],
    line_items: [(); 0],
    payment: Option<DisputedPayment>,
    plan_id: Option<String>,
    product_id: Option<String>,
    reason: String,
    reason_code: Option<()>,
    status: DisputeStatus,
    updated_at: Moment,
}

#[derive(Serialize)]
struct DisputedPayment {
    id: String,
    amount: JsonNumber,
    card_brand: Option<String>,
    card_last4: Option<String>,
    created_at: Moment,
    currency: Currency,
    payment_instrument: Option<()>,
    payment_method_type: Option<&'static str>,
    payment_processor: &'static str,
}

pub fn view(world: &World, dispute: &Dispute) -> DisputeView {
    let payment = world.payments.get(&dispute.payment_id);
    let person = payment.and_then(|payment| world.people.get(&payment.person_id));
    let open = dispute.status.is_open();
    let ten_days = std::time::Duration::from_hours(10 * 24);
    DisputeView {
        id: dispute.id.clone(),
        acceptable: open,
        account_id: world.settings.company_id.clone(),
        amount: dispute.amount.number(),
        buyer: json!({
            "user_id": person.map(|person| &person.id),
            "member_id": person.map(|person| &person.member_id),
            "name": person.and_then(|person| person.name.as_ref()),
            "username": person.map(|person| &person.username),
            "email": person.and_then(|person| person.email.as_ref()),
        }),
        created_at: dispute.created_at,
        currency: dispute.amount.currency,
        evidence: json!({ "documents": [] }),
        evidence_due_at: dispute.created_at.plus(ten_days),
        evidence_editable: open,
        evidence_locked_reason: (!open).then_some("not_contestable"),
        evidence_submitted_at: None,
        fee: Amount::new(1500, Currency::USD).object(),
        inquiry: dispute.status.is_inquiry(),
        issuer_comments: [],
        line_items: [],
        payment: payment.map(disputed),
        plan_id: payment.map(|payment| payment.plan_id.clone()),
        product_id: payment.and_then(|payment| payment.product_id.clone()),
        reason: dispute.reason.clone(),
        reason_code: None,
        status: dispute.status,
        updated_at: dispute.updated_at,
    }
}

fn disputed(payment: &Payment) -> DisputedPayment {
    let card = match &payment.means {
        Some(Means::Card(card)) => Some(card),
        _ => None,
    };
    DisputedPayment {
        id: payment.id.clone(),
        amount: payment.total.number(),
        card_brand: card.map(|card| card.brand.clone()),
        card_last4: card.map(|card| card.last4.clone()),
        created_at: payment.created_at,
        currency: payment.total.currency,
        payment_instrument: None,
        payment_method_type: payment.means.as_ref().map(method_type),
        payment_processor: "stripe",
    }
}
