//! Whop: hosted checkouts, paid by signed webhooks. A typed client for its REST API, and the reading of its events.

mod answer;
pub mod client;
mod decline;
pub mod error;
pub mod facts;
mod membership;
mod mirror;
pub mod oauth;
mod refund;
mod retry;
pub mod reversals;
pub mod standing;
mod text;
pub mod user_token;
pub mod webhook;
pub mod wire;

pub use client::{Client, PaymentFilter, Settings};
pub use error::WhopError;
pub use retry::Limits;

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::{Money, Provider};
use time::{Duration, OffsetDateTime};

use super::mirror::PlanMirror;
use super::{
    Checkout, CheckoutRequest, NotAnEvent, PaymentPage, PaymentProvider, PaymentQuery, ProviderError, RefundOrder,
    Refunding, Unreadable, Window,
};
use crate::events::{Fact, MembershipFacts, PaymentFacts, ReadEvent};
use wire::amount::Price;
use wire::checkout::{CheckoutConfiguration, InlinePlan, NewCheckout};
use wire::payment::Payment;
use wire::plan::{PlanType, Visibility};

/// The version that all shapes here are written for; sent with each request, and to be pinned on each webhook.
pub const API_VERSION: &str = "2026-10-15-1";
/// Whop's production API.
pub const API_URL: &str = "https://api.whop.com/api/v1";

/// Payments are searched in the newest so many pages of 100.
const SEARCH_PAGES_MAX: u32 = 5;
/// Their clock may be behind ours.
const SEARCH_MARGIN: Duration = Duration::minutes(10);

/// Whop as a place to pay.
#[derive(Debug, Clone)]
pub struct Whop {
    client: Client,
}

impl Whop {
    pub const fn new(client: Client) -> Self {
        Self { client }
    }

    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The payment that the browser named, if it exists and was made through this checkout.
    async fn hinted(&self, query: &PaymentQuery) -> Result<Option<Payment>, ProviderError> {
        let Some(id) = query.payment_hint.as_deref().filter(|id| text::is_id(id)) else { return Ok(None) };
        match self.client.payment(id).await.map_err(ProviderError::from) {
            Ok(payment) => Ok(Some(payment).filter(|payment| belongs(payment, query))),
            Err(ProviderError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Plans are shared by checkouts of the same price, so what is listed for one is looked through for ours.
    async fn listed(&self, query: &PaymentQuery) -> Result<Vec<Payment>, ProviderError> {
        let filter = PaymentFilter {
            plan_id: query.plan_id.as_deref(),
            created_after: query.created_after.checked_sub(SEARCH_MARGIN),
            ..PaymentFilter::default()
        };
        let mut pages = self.client.payments(&filter).at_most(SEARCH_PAGES_MAX);
        let mut found = Vec::new();
        while let Some(page) = pages.next().await? {
            found.extend(page.into_iter().filter(|payment| belongs(payment, query)));
        }
        if pages.has_more() && found.is_empty() {
            tracing::warn!(checkout.id = query.checkout_id, "too many payments to look through at Whop");
        }
        // The list was asked for by our account, so that is whose they are even where it isn't repeated.
        for payment in &mut found {
            if payment.account().is_none() {
                payment.account_id = Some(self.account().to_owned());
            }
        }
        Ok(found)
    }
}

#[async_trait]
impl PaymentProvider for Whop {
    fn name(&self) -> Provider {
        Provider::Whop
    }

    fn account(&self) -> &str {
        self.client.company_id()
    }

    async fn open_checkout(&self, request: &CheckoutRequest) -> Result<Checkout, ProviderError> {
        let order = request.order.to_string();
        let title = text::short_title(&request.title);
        let new = NewCheckout {
            account_id: self.account(),
            mode: "payment",
            plan: Some(InlinePlan {
                plan_type: PlanType::OneTime,
                initial_price: Price(request.price),
                currency: request.price.currency.as_str(),
                product_id: None,
                title: Some(&title),
                visibility: Visibility::Hidden,
            }),
            plan_id: None,
            metadata: BTreeMap::from([("order_id", order.clone())]),
            redirect_url: &request.return_url,
        };
        let made = self.client.create_checkout(&new, &format!("checkout-{order}")).await;
        match made.map_err(ProviderError::from) {
            Ok(made) => opened(made, request.price, &order),
            // Nothing that we asked for can be missing: it is the address or the account that is wrong.
            Err(ProviderError::NotFound) => {
                Err(ProviderError::Misconfigured("Whop knows no such address or account".to_owned()))
            }
            Err(error) => Err(error),
        }
    }

    async fn payments_of(&self, query: &PaymentQuery) -> Result<Vec<PaymentFacts>, ProviderError> {
        let mut payments = self.listed(query).await?;
        if let Some(payment) = self.hinted(query).await?
            && payments.iter().all(|other| other.id != payment.id)
        {
            payments.push(payment);
        }
        let mut readable = Vec::new();
        let mut unfit = None;
        for payment in &payments {
            match facts::facts(payment) {
                Ok(facts) => readable.push(facts),
                Err(reason) => unfit = Some(ProviderError::Unreadable(format!("payment {}: {reason}", payment.id))),
            }
        }
        match unfit {
            Some(error) if readable.is_empty() => Err(error),
            Some(error) => {
                tracing::warn!(checkout.id = query.checkout_id, %error, "passed over one of several payments");
                Ok(readable)
            }
            None => Ok(readable),
        }
    }

    async fn reversals_of(&self, payment: &PaymentFacts) -> Result<Vec<Fact>, ProviderError> {
        refund::reversals_of(self, payment).await
    }

    async fn refund(&self, order: &RefundOrder) -> Result<Refunding, ProviderError> {
        refund::refund(self, order).await
    }

    async fn payments_between(&self, window: Window, cursor: Option<&str>) -> Result<PaymentPage, ProviderError> {
        let filter = PaymentFilter {
            created_after: Some(window.from),
            created_before: Some(window.to),
            ..PaymentFilter::default()
        };
        let mut pages = self.client.payments(&filter).after(cursor).at_most(1);
        let listed = pages.next().await?.unwrap_or_default();
        let mut page = PaymentPage { next: pages.cursor().map(str::to_owned), ..PaymentPage::default() };
        for mut payment in listed {
            // The list was asked for by our account, so that is whose they are even where it isn't repeated.
            if payment.account().is_none() {
                payment.account_id = Some(self.account().to_owned());
            }
            match facts::facts(&payment) {
                Ok(facts) => page.payments.push(facts),
                Err(reason) => {
                    let payment_id = text::clean(&payment.id).unwrap_or_else(|| "an id that can't be shown".to_owned());
                    page.unreadable.push(Unreadable { payment_id, reason: reason.to_string() });
                }
            }
        }
        Ok(page)
    }

    async fn reversals_since(&self, since: OffsetDateTime) -> Result<Vec<Fact>, ProviderError> {
        let ours = Some(self.account());
        let mut told = Vec::new();
        let mut refunds = self.client.refunds(None);
        // Newest first, so the first old one ends it.
        while let Some(page) = refunds.next().await? {
            let is_recent = |refund: &&wire::refund::Refund| refund.created_at.is_none_or(|at| at >= since);
            let recent = page.iter().take_while(is_recent).count();
            told.extend(
                page[..recent]
                    .iter()
                    .map(|refund| (refund.id.clone(), reversals::refund(refund, ours).map(Fact::Refund))),
            );
            if recent < page.len() {
                break;
            }
        }
        for dispute in self.client.disputes(Some(since)).collect().await? {
            told.push((dispute.id.clone(), reversals::dispute(&dispute, ours).map(Fact::Dispute)));
        }
        let readable = told.into_iter().filter_map(|(id, fact)| match fact {
            Ok(fact) => Some(fact),
            Err(reason) => {
                tracing::error!(id, %reason, "a refund or dispute of Whop's can't be read");
                None
            }
        });
        Ok(readable.collect())
    }

    async fn memberships_of(
        &self,
        subject: &str,
        asked_at: OffsetDateTime,
    ) -> Result<Vec<MembershipFacts>, ProviderError> {
        let listed = self.client.memberships(Some(subject)).collect().await?;
        Ok(listed.iter().filter_map(|one| membership::facts(one, Some(self.account()), asked_at).ok()).collect())
    }

    async fn membership(&self, id_or_key: &str, asked_at: OffsetDateTime) -> Result<MembershipFacts, ProviderError> {
        let found = self.client.membership(id_or_key).await?;
        membership::facts(&found, Some(self.account()), asked_at)
            .map_err(|unfit| ProviderError::Unreadable(unfit.to_string()))
    }

    fn plan_mirror(&self) -> Option<&dyn PlanMirror> {
        Some(self)
    }

    fn read_event(&self, body: &[u8]) -> Result<ReadEvent, NotAnEvent> {
        webhook::read(body)
    }
}

fn belongs(payment: &Payment, query: &PaymentQuery) -> bool {
    payment.checkout_configuration_id.as_deref() == Some(&query.checkout_id)
}

/// Checks that the checkout is the one that was asked for, before a buyer is sent there.
fn opened(made: CheckoutConfiguration, price: Money, order: &str) -> Result<Checkout, ProviderError> {
    let unreadable = |what: &str| Err(ProviderError::Unreadable(format!("the checkout has {what}")));
    if !text::is_id(&made.id) {
        return unreadable("no plain id");
    }
    if made.metadata.get("order_id").is_some_and(|named| named != order) {
        return unreadable("another order's id");
    }
    let is_other_price = |plan: &wire::checkout::CheckoutPlan| {
        let amount = plan.initial_price.as_ref();
        amount.is_some_and(|amount| amount.money(plan.currency.as_deref()) != Ok(price))
    };
    if made.plan.as_ref().is_some_and(is_other_price) {
        return unreadable("another price");
    }
    let Some(url) = made.purchase_url.filter(|url| is_web_address(url)) else {
        return unreadable("no address to pay at");
    };
    let plan_id = made.plan.map(|plan| plan.id).filter(|id| text::is_id(id));
    Ok(Checkout { id: made.id, url, plan_id })
}

fn is_web_address(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host())
}
