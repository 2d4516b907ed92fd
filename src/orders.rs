//! An order's life, one verb a file. The rule for what a payment does to it is `decide`, a pure function.

pub mod answer;
pub mod begin;
pub mod books;
pub mod channel;
pub mod checkout;
pub mod decide;
pub mod desk;
pub mod disputes;
pub mod dossier;
pub mod expire;
pub mod export;
pub mod list;
pub mod own;
pub mod page;
pub mod receipt;
pub mod refund;
pub mod request;
pub mod route;
pub mod settle;
pub mod take_back;

use domain::{Currency, FieldErrors, PlanId, Price};

use crate::plans::Offer;
use crate::{Refusal, Result};

/// What somebody wants to buy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    pub plan: PlanId,
    /// In which of its currencies they want to pay; none: in its main one.
    pub currency: Option<Currency>,
}

impl From<PlanId> for Choice {
    fn from(plan: PlanId) -> Self {
        Self { plan, currency: None }
    }
}

impl Choice {
    /// What it costs as it is offered now.
    ///
    /// Errors: [`Refusal::PlanNotSoldIn`].
    pub fn price(self, offer: &Offer) -> Result<Price> {
        match (offer.price, self.currency) {
            (Price::Fixed(_), Some(currency)) => {
                offer.price_in(currency).map(Price::Fixed).ok_or(Refusal::PlanNotSoldIn { currency }.into())
            }
            (main, _) => Ok(main),
        }
    }

    /// Whether this is what an earlier form of the same key asked for.
    ///
    /// Errors: [`Refusal::FormUsedForAnotherPlan`], [`Refusal::FormUsedForAnotherCurrency`].
    fn is_still(self, plan: PlanId, price: Price) -> Result<()> {
        if self.plan != plan {
            return Err(Refusal::FormUsedForAnotherPlan.into());
        }
        match (price, self.currency) {
            (Price::Fixed(price), Some(currency)) if price.currency != currency => {
                Err(Refusal::FormUsedForAnotherCurrency.into())
            }
            _ => Ok(()),
        }
    }
}

/// The idempotency key that travels in a form: the same form sent twice is one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormKey(String);

impl FormKey {
    /// A key for a form that is about to be shown.
    pub fn fresh() -> Self {
        Self(crate::ids::fresh().simple().to_string())
    }

    /// Errors: a key that no form of ours carries (8 to 128 letters, digits, `-` or `_`).
    pub fn parse(field: &str, text: &str) -> Result<Self, FieldErrors> {
        let well_formed = (8..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(FieldErrors::one(field, "This form is incomplete. Reload the page and try again."))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}
