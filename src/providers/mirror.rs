//! Plans at a provider: what each provider that keeps plans must be able to do, so that ours have a counterpart there.
//!
//! The contract, beside that of [`super::PaymentProvider`]: a counterpart is never offered to whoever strolls by, for what is
//! bought past us has no order here. `on_sale` means no more than that it is not archived.

use async_trait::async_trait;
use domain::{Money, PlanId};

use super::ProviderError;

/// What a counterpart is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanCopy {
    pub plan: PlanId,
    pub name: String,
    pub description: String,
    /// None: it has no price any more, so it is left as it is, and archived.
    pub price: Option<Money>,
    pub on_sale: bool,
}

/// Where a counterpart is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterpart {
    pub plan_id: String,
    /// The product that was made with it; none: its product is somebody else's affair.
    pub product_id: Option<String>,
}

/// A plan as the provider shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenPlan {
    pub plan_id: String,
    pub title: String,
    /// None where it can't be read exactly.
    pub price: Option<Money>,
    pub paid_once: bool,
    pub on_sale: bool,
    /// Whether it is offered to whoever strolls by.
    pub listed: bool,
}

/// A provider that keeps plans.
#[async_trait]
pub trait PlanMirror: Send + Sync {
    /// The name as the provider keeps it, which may be a shorter one.
    fn title(&self, name: &str) -> String;

    /// Makes a counterpart, archived or not as [`PlanMirror::change`] says afterwards. Repeating the same request gives the same
    /// counterpart, also after a lost answer; `key` tells one counterpart of a plan from the next.
    async fn make(&self, copy: &PlanCopy, price: Money, key: &str) -> Result<Counterpart, ProviderError>;

    /// Makes it say what `copy` says. Its currency stays.
    async fn change(&self, at: &Counterpart, copy: &PlanCopy) -> Result<SeenPlan, ProviderError>;

    /// How a plan stands there now.
    async fn look(&self, plan_id: &str) -> Result<SeenPlan, ProviderError>;
}
