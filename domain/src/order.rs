//! The states of an order.

use serde::{Deserialize, Serialize};

/// An enum that is stored, sent and parsed as one fixed word per variant.
macro_rules! text_enum {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(word: &str) -> Result<Self, String> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    other => Err(format!(concat!("unknown ", stringify!($name), ": {}"), other)),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use text_enum;

text_enum! {
    /// Where an order stands. Paid, approved and rejected are final; money that arrives late still turns any other
    /// state into paid.
    pub enum OrderState {
        /// Written down, before the provider made a checkout for it.
        Created = "created",
        /// The provider's checkout waits for the buyer.
        Opened = "opened",
        /// The provider is collecting the money.
        Processing = "processing",
        /// Collected, and the credits are in the wallet.
        Paid = "paid",
        /// No money moved; the reason says why. The buyer may try again.
        Failed = "failed",
        /// Not paid in time.
        Expired = "expired",
        /// Money arrived that doesn't fit the order; a person decides.
        UnderReview = "under_review",
        /// A manual order that waits for an admin.
        Requested = "requested",
        /// A manual order whose credits are in the wallet.
        Approved = "approved",
        /// A manual order that an admin turned down.
        Rejected = "rejected",
    }
}

impl OrderState {
    /// Whether something is still expected to happen by itself.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Created | Self::Opened | Self::Processing)
    }

    /// Whether a payment may still turn it by itself: what failed or expired does when the buyer pays after all.
    pub const fn may_still_be_paid(self) -> bool {
        self.is_open() || matches!(self, Self::Failed | Self::Expired)
    }

    /// Whether the credits are in the wallet.
    pub const fn is_credited(self) -> bool {
        matches!(self, Self::Paid | Self::Approved)
    }
}

text_enum! {
    /// Why an order failed without money moving.
    pub enum FailureReason {
        /// The provider could not make a checkout, or did not answer.
        CheckoutUnavailable = "checkout_unavailable",
        /// The bank or the provider declined the payment.
        Declined = "declined",
        InsufficientFunds = "insufficient_funds",
        ExpiredCard = "expired_card",
        AuthenticationFailed = "authentication_failed",
        /// The buyer or the provider called the payment off.
        Canceled = "canceled",
    }
}
