//! What the scripted provider answers to each question.

use async_trait::async_trait;
use atlas::events::{Fact, MembershipFacts, PaymentFacts, ReadEvent, RefundFacts};
use atlas::providers::{
    Checkout, CheckoutRequest, NotAnEvent, PaymentPage, PaymentProvider, PaymentQuery, ProviderError, RefundOrder,
    Refunding, Window,
};
use domain::{Provider, RefundState};
use time::OffsetDateTime;

use super::{ACCOUNT, Fault, Scripted};

#[async_trait]
impl PaymentProvider for Scripted {
    fn name(&self) -> Provider {
        Provider::Whop
    }

    fn account(&self) -> &str {
        ACCOUNT
    }

    async fn open_checkout(&self, request: &CheckoutRequest) -> Result<Checkout, ProviderError> {
        self.script().requests.push(request.clone());
        self.answer().await;
        let mut script = self.script();
        let fault = script.fault;
        if let Some(fault) = fault.filter(|fault| !matches!(fault, Fault::AnswerLost | Fault::SameCheckout)) {
            return Err(fault.error());
        }
        let name = if fault == Some(Fault::SameCheckout) { "same".to_owned() } else { request.order.to_string() };
        let checkout = script.checkouts.entry(request.order).or_insert_with(|| Checkout {
            id: format!("ch_{name}"),
            url: format!("https://pay.example/{name}"),
            plan_id: Some(format!("plan_{name}")),
        });
        if fault == Some(Fault::AnswerLost) { Err(Fault::AnswerLost.error()) } else { Ok(checkout.clone()) }
    }

    async fn payments_of(&self, query: &PaymentQuery) -> Result<Vec<PaymentFacts>, ProviderError> {
        self.script().queries.push(query.clone());
        self.answer().await;
        let script = self.script();
        if let Some(fault) = script.fault {
            return Err(fault.error());
        }
        let fits = |facts: &&PaymentFacts| {
            facts.checkout_id.as_ref() == Some(&query.checkout_id)
                || query.payment_hint.as_ref() == Some(&facts.payment_id)
        };
        Ok(script.payments.iter().filter(fits).cloned().collect())
    }

    async fn reversals_of(&self, payment: &PaymentFacts) -> Result<Vec<Fact>, ProviderError> {
        let script = self.script();
        let made = script.refunds.values().cloned().map(Fact::Refund);
        let told = script.reversals.iter().cloned().chain(made);
        Ok(told.filter(|fact| fact.payment_id() == payment.payment_id).collect())
    }

    async fn refund(&self, order: &RefundOrder) -> Result<Refunding, ProviderError> {
        self.script().refund_orders.push(order.clone());
        self.answer().await;
        let mut script = self.script();
        let fault = script.fault;
        if let Some(fault) = fault.filter(|fault| *fault != Fault::AnswerLost) {
            return Err(fault.error());
        }
        if let Some(why) = script.refuses.clone() {
            return Ok(Refunding::Refused(why));
        }
        let (nth, state) = (script.refunds.len() + 1, script.refund_state.unwrap_or(RefundState::Succeeded));
        script.refunds.entry(order.request).or_insert_with(|| RefundFacts {
            provider: Provider::Whop,
            refund_id: format!("rf_made_{nth}"),
            payment_id: order.payment_id.clone(),
            account: Some(ACCOUNT.to_owned()),
            amount: order.amount,
            state,
            request: Some(order.request),
            failure: None,
        });
        if fault == Some(Fault::AnswerLost) {
            return Err(Fault::AnswerLost.error());
        }
        let of_payment = script.refunds.values().filter(|refund| refund.payment_id == order.payment_id);
        Ok(Refunding::Taken(of_payment.cloned().map(Fact::Refund).collect()))
    }

    /// Two a page, whatever the window: the script has no time.
    async fn payments_between(&self, window: Window, cursor: Option<&str>) -> Result<PaymentPage, ProviderError> {
        assert!(window.from < window.to);
        self.answer().await;
        let script = self.script();
        if let Some(fault) = script.fault {
            return Err(fault.error());
        }
        let from: usize = cursor.map_or(0, |cursor| cursor.parse().unwrap());
        let payments: Vec<_> = script.payments.iter().skip(from).take(2).cloned().collect();
        let to = from + payments.len();
        Ok(PaymentPage {
            payments,
            unreadable: if from == 0 { script.unreadable.clone() } else { Vec::new() },
            next: (to < script.payments.len()).then(|| to.to_string()),
        })
    }

    async fn reversals_since(&self, _: OffsetDateTime) -> Result<Vec<Fact>, ProviderError> {
        let script = self.script();
        script.fault.map_or_else(|| Ok(script.reversals.clone()), |fault| Err(fault.error()))
    }

    async fn memberships_of(
        &self,
        subject: &str,
        asked_at: OffsetDateTime,
    ) -> Result<Vec<MembershipFacts>, ProviderError> {
        self.script().asked_memberships += 1;
        self.answer().await;
        let script = self.script();
        if let Some(fault) = script.fault {
            return Err(fault.error());
        }
        let theirs = script.memberships.iter().filter(|(_, facts)| facts.subject.as_deref() == Some(subject));
        Ok(theirs.map(|(_, facts)| MembershipFacts { said_at: asked_at, ..facts.clone() }).collect())
    }

    async fn membership(&self, id_or_key: &str, asked_at: OffsetDateTime) -> Result<MembershipFacts, ProviderError> {
        let mut script = self.script();
        script.asked_memberships += 1;
        if let Some(fault) = script.fault {
            return Err(fault.error());
        }
        let found = script.memberships.iter().find(|(key, facts)| key == id_or_key || facts.membership_id == id_or_key);
        let (_, facts) = found.ok_or(ProviderError::NotFound)?;
        Ok(MembershipFacts { said_at: asked_at, ..facts.clone() })
    }

    fn read_event(&self, body: &[u8]) -> Result<ReadEvent, NotAnEvent> {
        self.script().events.get(body).cloned().ok_or(NotAnEvent("not in the script"))
    }
}
