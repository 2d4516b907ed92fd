//! The deeds that leave an entry.

macro_rules! deeds {
    ($($name:ident $word:literal)+) => {
        /// What was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum What {
            $($name,)+
        }

        impl What {
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }
        }
    };
}

deeds! {
    Registered "registered"
    SignedIn "signed_in"
    SignInRefused "sign_in_refused"
    SignedOut "signed_out"
    SessionEnded "session_ended"
    SessionsEnded "sessions_ended"
    Confirmed "confirmed"
    ConfirmRefused "confirm_refused"
    PasswordChanged "password_changed"
    PasswordResetAsked "password_reset_asked"
    PasswordReset "password_reset"
    EmailVerified "email_verified"
    EmailChangeAsked "email_change_asked"
    EmailChanged "email_changed"
    SecondFactorAdded "second_factor_added"
    SecondFactorRemoved "second_factor_removed"
    RecoveryCodesMade "recovery_codes_made"
    RecoveryCodeUsed "recovery_code_used"
    IdentityLinked "identity_linked"
    IdentityUnlinked "identity_unlinked"
    IdentityRefused "identity_refused"
    RoleChanged "role_changed"
    AccessRefused "access_refused"
    LimitHit "limit_hit"
    KeyCreated "key_created"
    KeyRevoked "key_revoked"
    RequestApproved "request_approved"
    RequestRejected "request_rejected"
    RefundAsked "refund_asked"
    RefundConfirmed "refund_confirmed"
    RefundDeclined "refund_declined"
    RefundWithdrawn "refund_withdrawn"
    RefundRefused "refund_refused"
    CreditsGranted "credits_granted"
    CreditsTaken "credits_taken"
    DebtForgiven "debt_forgiven"
    CreditsAsked "credits_asked"
    CreditsDeclined "credits_declined"
    CreditsWithdrawn "credits_withdrawn"
    VaultRotated "vault_rotated"
    DataExported "data_exported"
    AccountDeleted "account_deleted"
    LatePayment "late_payment"
    PaymentsStopped "payments_stopped"
    PaymentsStarted "payments_started"
    MembershipDemanded "membership_demanded"
    PlanCreated "plan_created"
    PlanRevised "plan_revised"
    PlanPutOnSale "plan_put_on_sale"
    PlanTakenOffSale "plan_taken_off_sale"
    PlanMoved "plan_moved"
    PlanRetired "plan_retired"
    PlanDeleted "plan_deleted"
    PlanAdopted "plan_adopted"
    PlanRepaired "plan_repaired"
    EventReplayed "event_replayed"
    EventDismissed "event_dismissed"
    DefaultProviderSet "default_provider_set"
    RolloutSet "rollout_set"
    PaymentPathSet "payment_path_set"
    PurchaseLimitSet "purchase_limit_set"
    NoteAdded "note_added"
    JobRetried "job_retried"
    EventLinked "event_linked"
    SetUpEntered "set_up_entered"
    SetUpRefused "set_up_refused"
    ProviderKeysStored "provider_keys_stored"
    WebhookCreated "webhook_created"
    LegacyImported "legacy_imported"
    ViewingStarted "viewing_started"
    ViewingEnded "viewing_ended"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_deed_has_a_word_of_its_own_that_the_table_takes() {
        let words: std::collections::BTreeSet<&str> = What::ALL.iter().map(|what| what.as_str()).collect();
        assert_eq!(words.len(), What::ALL.len());
        for word in words {
            assert!((3..=40).contains(&word.len()), "{word}");
            assert!(word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{word}");
        }
    }
}
