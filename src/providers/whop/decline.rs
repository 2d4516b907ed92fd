//! Why a payment failed, from Whop's decline codes (Whop API, list of decline codes) to our few reasons.

use domain::FailureReason;

/// The reason that a code stands for; what we don't tell apart is `Declined`.
pub fn reason(decline_code: Option<&str>) -> FailureReason {
    match decline_code.unwrap_or_default() {
        "insufficient_funds" | "bank_insufficient_funds" => FailureReason::InsufficientFunds,
        "expired_card" => FailureReason::ExpiredCard,
        "transaction_cancelled" => FailureReason::Canceled,
        "authentication_required"
        | "three_d_secure_canceled"
        | "three_d_secure_invalid_card_number"
        | "three_d_secure_generic_error"
        | "three_d_secure_timeout"
        | "three_d_secure_failed"
        | "three_d_secure_card_not_enrolled"
        | "three_d_secure_fraud"
        | "three_d_secure_too_many_attempts"
        | "three_d_secure_rejected_by_bank"
        | "three_d_secure_reported_lost_or_stolen" => FailureReason::AuthenticationFailed,
        _ => FailureReason::Declined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_reasons_that_a_buyer_can_act_on() {
        for (code, expected) in [
            (Some("insufficient_funds"), FailureReason::InsufficientFunds),
            (Some("bank_insufficient_funds"), FailureReason::InsufficientFunds),
            (Some("expired_card"), FailureReason::ExpiredCard),
            (Some("three_d_secure_timeout"), FailureReason::AuthenticationFailed),
            (Some("transaction_cancelled"), FailureReason::Canceled),
            (Some("generic_decline"), FailureReason::Declined),
            (Some("a_code_of_tomorrow"), FailureReason::Declined),
            (None, FailureReason::Declined),
        ] {
            assert_eq!(reason(code), expected, "{code:?}");
        }
    }
}
