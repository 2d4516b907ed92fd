//! What a plan costs, who sees it, and how its counterpart at the provider stands.

use serde::{Deserialize, Serialize};

use crate::order::text_enum;
use crate::{Credits, Money};

text_enum! {
    /// Who sees a plan that is on sale.
    pub enum PlanVisibility {
        /// Everybody, on the page of plans.
        Listed = "listed",
        /// Whoever has the link to it.
        Unlisted = "unlisted",
    }
}

text_enum! {
    /// How a plan's counterpart at the provider stands.
    pub enum MirrorState {
        /// A change here has still to get there.
        Waiting = "waiting",
        InStep = "in_step",
        /// It says something else there.
        Drifted = "drifted",
        /// The provider said no: a person has to look.
        Failed = "failed",
    }
}

/// How a plan is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Price {
    /// Paid at a provider's checkout.
    Fixed(Money),
    /// Agreed with a person; ordered by request and approved by hand.
    ByAgreement,
}

impl Price {
    /// What 1,000 credits cost, rounded to the nearest minor unit; none by agreement or for no credits.
    pub fn per_thousand(self, credits: Credits) -> Option<Money> {
        let Self::Fixed(price) = self else { return None };
        let credits = i128::from(credits.get());
        if credits <= 0 {
            return None;
        }
        let minor = (i128::from(price.minor) * 1_000 * 2 + credits) / (credits * 2);
        Some(Money::new(i64::try_from(minor).ok()?, price.currency))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_credits_have_a_price() {
        let starter = Price::Fixed(Money::usd(750));
        assert_eq!(starter.per_thousand(Credits::new(5_000)), Some(Money::usd(150)));
        let pro = Price::Fixed(Money::usd(3_250));
        assert_eq!(pro.per_thousand(Credits::new(25_000)), Some(Money::usd(130)));
        assert_eq!(Price::ByAgreement.per_thousand(Credits::new(100_000)), None);
        assert_eq!(starter.per_thousand(Credits::ZERO), None);
    }
}
