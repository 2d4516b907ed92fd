//! Ids of our own things. All are UUIDs, each with its own type, so that one is never taken for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an id")
    }
}

impl std::error::Error for NotAnId {}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// The last eight characters, enough for a person to tell two apart.
            pub fn short(self) -> String {
                let text = self.0.simple().to_string();
                text[text.len() - 8..].to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                Uuid::try_parse(text).map(Self).map_err(|_| NotAnId)
            }
        }
    };
}

id!(
    /// Somebody with an account here.
    PersonId
);
id!(
    /// A plan as buyers know it, whatever its version.
    PlanId
);
id!(
    /// One unchanging version of a plan: what an order was sold.
    PlanVersionId
);
id!(
    /// One wish to buy, paid through a provider or approved by hand.
    OrderId
);
id!(
    /// One operation of the credit ledger.
    TransactionId
);
id!(
    /// Credits held for something under way.
    HoldId
);
id!(
    /// One webhook event in our inbox.
    EventId
);
id!(
    /// A refund that somebody here asked for.
    RefundRequestId
);
id!(
    /// What an admin did to somebody's credits by hand.
    CreditDeedId
);
id!(
    /// A key with which an application comes to us.
    ApiKeyId
);
