//! Messages and answers as the provider writes them (Whop API, webhooks; payments, refunds, disputes; legacy shapes).
//! Written apart from the program's own reading of them, so that the two cannot agree on a mistake.

use super::{CURRENCIES, Change, Dispute, DisputeStanding, Order, Payment, Refund, RefundStanding, Standing};
use serde_json::{Value, json};

/// Which of the two ages of payloads a message has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// Pinned to the version that we are written for.
    Pinned,
    /// Unpinned: another name for the account, bare numbers for money.
    Legacy,
}

/// The body of a message, as bytes that never change.
pub fn body(id: &str, kind: &str, payment: &Payment, change: &Change, orders: &[Order], age: Age) -> String {
    let data = match change {
        Change::Refund(refund) if refund.is_legacy => legacy_refund(refund, payment),
        Change::Refund(refund) => refund_object(refund, payment),
        Change::Dispute(dispute) => dispute_object(dispute, payment),
        // A message that was never true says so all the same.
        Change::Nothing => payment_object(&Payment { standing: Standing::Paid, ..payment.clone() }, orders, age),
        Change::Payment(_) => payment_object(payment, orders, age),
    };
    let (account, version) = match age {
        Age::Pinned => ("account_id", json!("2026-10-15-1")),
        Age::Legacy => ("company_id", Value::Null),
    };
    let mut envelope = json!({
        "id": id, "type": kind, "api_version": "v1", "api_version_date": version, "timestamp": payment.created_at, "data": data,
    });
    envelope[account] = json!(payment.account);
    envelope.to_string()
}

/// A payment as the API answers it.
pub fn payment_object(payment: &Payment, orders: &[Order], age: Age) -> Value {
    let order = &orders[payment.order];
    let (status, substatus) = match payment.standing {
        Standing::Open => ("open", "incomplete"),
        Standing::Failed => ("open", "failed"),
        Standing::Canceled => ("void", "canceled"),
        Standing::Paid => ("paid", paid_substatus(payment)),
    };
    let is_paid = payment.standing == Standing::Paid;
    let amount = |minor| match age {
        Age::Pinned => money(minor, payment.currency),
        Age::Legacy => number(minor, payment.currency),
    };
    let mut object = json!({
        "id": payment.id, "status": status, "substatus": substatus, "billing_reason": "one_time",
        "checkout_configuration_id": payment.checkout, "created_at": payment.created_at, "updated_at": payment.created_at,
        "paid_at": if is_paid { json!(payment.created_at) } else { Value::Null }, "currency": payment.currency,
        "subtotal": amount(payment.minor), "total": amount(payment.minor), "tax_amount": null,
        "refunded_amount": amount(payment.refunded()), "refundable": is_paid, "plan_id": order.plan,
        "payment_method_type": "card", "metadata": { "order_id": order.id.to_string() },
        "decline_code": if payment.standing == Standing::Failed { json!("insufficient_funds") } else { Value::Null },
    });
    match age {
        Age::Pinned => object["account_id"] = json!(payment.account),
        Age::Legacy => object["company"] = json!({ "id": payment.account, "route": "storm", "title": "Storm" }),
    }
    object
}

fn paid_substatus(payment: &Payment) -> &'static str {
    match payment.disputes.last().map(|dispute| dispute.standing) {
        Some(DisputeStanding::NeedsResponse) => return "dispute_needs_response",
        Some(DisputeStanding::UnderReview) => return "dispute_under_review",
        Some(DisputeStanding::Won) => return "dispute_won",
        Some(DisputeStanding::Lost) => return "dispute_lost",
        None => {}
    }
    match payment.refunded() {
        0 => "succeeded",
        refunded if refunded < payment.minor => "partially_refunded",
        _ => "refunded",
    }
}

/// A refund as the API answers it.
pub fn refund_object(refund: &Refund, payment: &Payment) -> Value {
    json!({
        "id": refund.id, "payment_id": payment.id, "account_id": payment.account,
        "amount": money(refund.minor, payment.currency), "original_amount": money(refund.minor, payment.currency),
        "status": refund_status(refund.standing), "reason": "requested_by_customer", "failure_reason": null,
        "failure_message": null, "metadata": {}, "provider": "stripe", "created_at": payment.created_at, "updated_at": payment.created_at,
        "visa_rdr": false,
    })
}

fn legacy_refund(refund: &Refund, payment: &Payment) -> Value {
    json!({
        "id": refund.id, "amount": number(refund.minor, payment.currency), "currency": payment.currency,
        "created_at": payment.created_at, "status": refund_status(refund.standing), "provider": "stripe", "metadata": {},
        "payment": {
            "id": payment.id, "billing_reason": "one_time", "created_at": payment.created_at,
            "currency": payment.currency, "paid_at": payment.created_at, "subtotal": number(payment.minor, payment.currency),
            "total": number(payment.minor, payment.currency),
        },
    })
}

const fn refund_status(standing: RefundStanding) -> &'static str {
    match standing {
        RefundStanding::Pending => "pending",
        RefundStanding::Failed => "failed",
        RefundStanding::Succeeded => "succeeded",
    }
}

/// A dispute as the API answers it: its amount is a bare number in both ages.
pub fn dispute_object(dispute: &Dispute, payment: &Payment) -> Value {
    let status = match dispute.standing {
        DisputeStanding::NeedsResponse => "needs_response",
        DisputeStanding::UnderReview => "under_review",
        DisputeStanding::Won => "won",
        DisputeStanding::Lost => "lost",
    };
    json!({
        "id": dispute.id, "account_id": payment.account, "status": status, "reason": "fraudulent",
        "amount": number(dispute.minor, payment.currency), "currency": payment.currency, "fee": null, "inquiry": false,
        "payment": {
            "id": payment.id, "amount": number(payment.minor, payment.currency), "currency": payment.currency,
            "created_at": payment.created_at,
        },
        "created_at": payment.created_at, "updated_at": payment.created_at,
    })
}

fn money(minor: i64, currency: &str) -> Value {
    let digits = digits(currency);
    json!({ "amount": decimal(minor, digits), "currency": currency, "decimals": digits, "display_decimals": digits })
}

/// Written digit by digit: no binary fraction comes near it.
fn number(minor: i64, currency: &str) -> Value {
    serde_json::from_str(&decimal(minor, digits(currency))).unwrap_or_default()
}

fn digits(currency: &str) -> u32 {
    CURRENCIES.iter().find(|(code, _)| *code == currency).map_or(2, |(_, digits)| *digits)
}

fn decimal(minor: i64, digits: u32) -> String {
    let unit = 10_i64.pow(digits);
    if digits == 0 {
        minor.to_string()
    } else {
        format!("{}.{:0width$}", minor / unit, minor % unit, width = digits as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_they_are() {
        assert_eq!(decimal(1_999, 2), "19.99");
        assert_eq!(decimal(5, 2), "0.05");
        assert_eq!(decimal(640, 0), "640");
        assert_eq!(number(115, "usd").to_string(), "1.15");
    }
}
