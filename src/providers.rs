//! Payment providers: what each must be able to do, and which ones are set up.
//!
//! The contract, for whoever writes a provider:
//! - One attempt per call may be repeated inside for what is safe to repeat, always under the same idempotency key.
//!   `Err(Unreachable)` means that nobody knows whether it happened; the caller may try again with the same request.
//! - A provider's "no" about one payment is not an error but a state of the payment.
//! - Amounts are exact. What can't be read exactly is `Unreadable`, never rounded.
//! - No secret appears in an error, a log line or a `Debug`.

pub mod mirror;
pub mod verify;
pub mod whop;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use domain::{Money, OrderId, Provider, RefundRequestId};
use time::{Duration, OffsetDateTime};

use crate::events::{Fact, MembershipFacts, PaymentFacts, ReadEvent};
use mirror::PlanMirror;

/// Providers remember an idempotency key for a day. An hour is left for clocks that differ.
pub const REFUND_KEY_LASTS: Duration = Duration::hours(23);

/// Why a provider could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// No answer, or an answer that says "later": nobody knows whether it happened. Retry with the same key.
    #[error("the provider can't be reached: {0}")]
    Unreachable(String),
    /// An answer that we can't read. A person has to look.
    #[error("the provider's answer can't be read: {0}")]
    Unreadable(String),
    /// It refused our key, our version or our request: our mistake, so alert somebody.
    #[error("the provider refused our request: {0}")]
    Misconfigured(String),
    /// It knows no such thing (or not yet: right after a checkout a payment may not be readable for some seconds).
    #[error("the provider knows no such thing")]
    NotFound,
}

/// Authentic bytes that are no event of the provider's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an event: {0}")]
pub struct NotAnEvent(pub &'static str);

/// What a checkout is to be made for.
#[derive(Debug, Clone)]
pub struct CheckoutRequest {
    /// Also the idempotency key: the same order never gets two checkouts.
    pub order: OrderId,
    /// What the buyer reads at the checkout: `Starter, 5,000 credits`.
    pub title: String,
    pub price: Money,
    /// Where the browser comes back to. Proves nothing.
    pub return_url: String,
}

/// A checkout that waits for the buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The provider's id, by which payments are matched to the order.
    pub id: String,
    /// Where the buyer pays. Opaque: use as it is.
    pub url: String,
    /// The provider's id of what is sold, where it has one; narrows the search for payments.
    pub plan_id: Option<String>,
}

/// Which payments to look for when a webhook is late.
#[derive(Debug, Clone)]
pub struct PaymentQuery {
    pub checkout_id: String,
    pub plan_id: Option<String>,
    pub created_after: OffsetDateTime,
    /// A payment id from the return address, if there was one. A hint from the browser, so only a place to look.
    pub payment_hint: Option<String>,
}

/// Money that is to go back.
#[derive(Debug, Clone)]
pub struct RefundOrder {
    /// Also the idempotency key, and named in the refund that comes of it.
    pub request: RefundRequestId,
    pub payment_id: String,
    /// In the currency of the charge.
    pub amount: Money,
}

/// What a provider says to a [`RefundOrder`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refunding {
    /// It is under way, or done. With it what is known of the payment's refunds, be it without this one: they settle later.
    Taken(Vec<Fact>),
    /// It is not, and under this key never will be. Why, in a sentence.
    Refused(String),
}

/// A span of time: `from` belongs to it, `to` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub from: OffsetDateTime,
    pub to: OffsetDateTime,
}

/// Some of the payments of a window.
#[derive(Debug, Clone, Default)]
pub struct PaymentPage {
    pub payments: Vec<PaymentFacts>,
    pub unreadable: Vec<Unreadable>,
    /// What to ask for the next page with; none: this was the last.
    pub next: Option<String>,
}

/// A payment that can't be put into our words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    pub payment_id: String,
    pub reason: String,
}

#[async_trait]
pub trait PaymentProvider: Send + Sync {
    fn name(&self) -> Provider;

    /// The provider's id of the account that is paid. What was paid to another one is never ours.
    fn account(&self) -> &str;

    /// Makes a checkout for an order. Repeating the same request gives the same checkout.
    async fn open_checkout(&self, request: &CheckoutRequest) -> Result<Checkout, ProviderError>;

    /// Every payment made through a checkout, as the provider knows it now. Empty is a fine answer.
    async fn payments_of(&self, query: &PaymentQuery) -> Result<Vec<PaymentFacts>, ProviderError>;

    /// Every refund and dispute of a payment, as the provider knows it now. Empty is a fine answer.
    async fn reversals_of(&self, payment: &PaymentFacts) -> Result<Vec<Fact>, ProviderError>;

    /// Pays a part of a payment back, or all of it. Repeating the same order within [`REFUND_KEY_LASTS`] pays once.
    ///
    /// Errors: [`ProviderError::Unreachable`] and [`ProviderError::Unreadable`]: nobody knows whether it happened.
    /// [`ProviderError::Misconfigured`]: it did not.
    async fn refund(&self, order: &RefundOrder) -> Result<Refunding, ProviderError>;

    /// The payments to our account that were made in a window, a page at a time, in any order. `cursor`: the one that
    /// the page before named.
    async fn payments_between(&self, window: Window, cursor: Option<&str>) -> Result<PaymentPage, ProviderError>;

    /// Every refund and dispute at our account that was made since, whatever payment it is of. What can't be read is left
    /// out, and logged.
    async fn reversals_since(&self, since: OffsetDateTime) -> Result<Vec<Fact>, ProviderError>;

    /// Every membership at our account that whoever signs in as `subject` holds or held. What it says counts as said when it is
    /// asked.
    async fn memberships_of(
        &self,
        subject: &str,
        asked_at: OffsetDateTime,
    ) -> Result<Vec<MembershipFacts>, ProviderError>;

    /// One membership, by its id or by its licence key.
    async fn membership(&self, id_or_key: &str, asked_at: OffsetDateTime) -> Result<MembershipFacts, ProviderError>;

    /// Where plans can be shown too, beside here. None: it keeps no plans.
    fn plan_mirror(&self) -> Option<&dyn PlanMirror> {
        None
    }

    /// Reads the body of an authentic webhook.
    ///
    /// Errors: it is not an event at all (not JSON, no type). Anything else is a [`ReadEvent`], if only an unreadable one.
    fn read_event(&self, body: &[u8]) -> Result<ReadEvent, NotAnEvent>;
}

/// The providers that are set up in this process; its copies share them. They are set up once: at the start, or later by the
/// set-up page.
#[derive(Clone, Default)]
pub struct Providers {
    set_up: Arc<OnceLock<BTreeMap<Provider, Arc<dyn PaymentProvider>>>>,
    by_environment: Option<Provider>,
}

impl Providers {
    pub fn new(providers: impl IntoIterator<Item = Arc<dyn PaymentProvider>>) -> Self {
        let none = Self::default();
        none.set_up(providers);
        none
    }

    /// From now on these are the ones, for every copy. Where some are set up already they stay, and so do none.
    pub fn set_up(&self, providers: impl IntoIterator<Item = Arc<dyn PaymentProvider>>) {
        let named: BTreeMap<_, _> = providers.into_iter().map(|provider| (provider.name(), provider)).collect();
        if !named.is_empty() {
            self.set_up.get_or_init(|| named);
        }
    }

    /// The same with another default.
    #[must_use]
    pub fn by_default(self, provider: Provider) -> Self {
        Self { by_environment: Some(provider), ..self }
    }

    /// Who takes the money for new orders, as long as nobody sets another in the settings: the first that is set up, where
    /// nobody says.
    pub fn by_environment(&self) -> Provider {
        self.by_environment.or_else(|| self.all().next().map(PaymentProvider::name)).unwrap_or(Provider::Manual)
    }

    pub fn get(&self, name: Provider) -> Option<&dyn PaymentProvider> {
        self.set_up.get()?.get(&name).map(AsRef::as_ref)
    }

    /// Every one that is set up.
    pub fn all(&self) -> impl Iterator<Item = &dyn PaymentProvider> {
        self.set_up.get().into_iter().flat_map(BTreeMap::values).map(AsRef::as_ref)
    }

    /// Where plans have their counterparts. None: no provider that is set up keeps plans.
    pub fn plan_mirror(&self) -> Option<&dyn PlanMirror> {
        self.all().find_map(PaymentProvider::plan_mirror)
    }
}
