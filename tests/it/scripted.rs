//! A payment provider that does what a test tells it, and remembers what it was asked. Checkouts are idempotent by
//! order, as at a real one.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use atlas::events::{Content, Fact, MembershipFacts, PaymentFacts, ReadEvent, RefundFacts};
use atlas::providers::{
    Checkout, CheckoutRequest, NotAnEvent, PaymentPage, PaymentProvider, PaymentQuery, ProviderError, RefundOrder,
    Refunding, Unreadable, Window,
};
use domain::{OrderId, Provider, RefundRequestId, RefundState};
use time::OffsetDateTime;
use tokio::sync::watch;

/// The account that is ours at this provider.
pub const ACCOUNT: &str = "biz_ours";

/// How the provider fails until told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Unreachable,
    Unreadable,
    Misconfigured,
    NotFound,
    /// It does what it was asked, but the answer is lost.
    AnswerLost,
    /// It gives every order the same checkout, which is nonsense.
    SameCheckout,
}

impl Fault {
    pub const ALL: [Self; 5] =
        [Self::Unreachable, Self::Unreadable, Self::Misconfigured, Self::NotFound, Self::AnswerLost];

    fn error(self) -> ProviderError {
        match self {
            Self::Unreachable | Self::AnswerLost | Self::SameCheckout => ProviderError::Unreachable("scripted".into()),
            Self::Unreadable => ProviderError::Unreadable("scripted".into()),
            Self::Misconfigured => ProviderError::Misconfigured("scripted".into()),
            Self::NotFound => ProviderError::NotFound,
        }
    }
}

#[derive(Default)]
struct Script {
    fault: Option<Fault>,
    checkouts: BTreeMap<OrderId, Checkout>,
    requests: Vec<CheckoutRequest>,
    payments: Vec<PaymentFacts>,
    reversals: Vec<Fact>,
    queries: Vec<PaymentQuery>,
    events: HashMap<Vec<u8>, ReadEvent>,
    unreadable: Vec<Unreadable>,
    /// What was to be paid back, repetitions too.
    refund_orders: Vec<RefundOrder>,
    /// The refunds that came of it, by their requests.
    refunds: BTreeMap<RefundRequestId, RefundFacts>,
    /// How far a new refund has come when it is told.
    refund_state: Option<RefundState>,
    /// Why no refund is taken.
    refuses: Option<String>,
    /// By their licence keys.
    memberships: Vec<(String, MembershipFacts)>,
    asked_memberships: usize,
}

pub struct Scripted {
    script: Mutex<Script>,
    /// Whether calls go through, or hang.
    answering: watch::Sender<bool>,
}

impl Scripted {
    pub fn new() -> Self {
        Self { script: Mutex::default(), answering: watch::Sender::new(true) }
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    pub fn fails(&self, fault: Fault) {
        self.script().fault = Some(fault);
    }

    pub fn recovers(&self) {
        self.script().fault = None;
    }

    /// From now on no call is answered.
    pub fn hangs(&self) {
        self.answering.send_replace(false);
    }

    /// Answers what hangs, and all that comes.
    pub fn answers(&self) {
        self.answering.send_replace(true);
    }

    /// Makes `facts` part of what the provider says when it is asked.
    pub fn knows(&self, facts: &PaymentFacts) {
        self.script().payments.push(facts.clone());
    }

    /// Makes a refund or dispute part of what it says about its payment.
    pub fn knows_reversal(&self, fact: Fact) {
        self.script().reversals.push(fact);
    }

    /// From now on its list has a payment that nobody can read.
    pub fn garbles(&self, payment_id: &str) {
        let (payment_id, reason) = (payment_id.to_owned(), "unknown_status".to_owned());
        self.script().unreadable.push(Unreadable { payment_id, reason });
    }

    /// From now on a webhook with this body says `content`.
    pub fn says(&self, body: &[u8], kind: &str, content: Content) {
        let object_id = match &content {
            Content::Fact(Fact::Payment(facts)) => Some(facts.payment_id.clone()),
            Content::Fact(Fact::Refund(facts)) => Some(facts.refund_id.clone()),
            Content::Fact(Fact::Dispute(facts)) => Some(facts.dispute_id.clone()),
            _ => None,
        };
        self.script().events.insert(body.to_vec(), ReadEvent { kind: kind.to_owned(), object_id, content });
    }

    /// From now on it takes no refund, and says why; none: it does.
    pub fn refuses(&self, why: Option<&str>) {
        self.script().refuses = why.map(ToOwned::to_owned);
    }

    /// From now on a refund is told in this state at first.
    pub fn refunds_as(&self, state: RefundState) {
        self.script().refund_state = Some(state);
    }

    /// The refunds that it made, in no order.
    pub fn refunds(&self) -> Vec<RefundFacts> {
        self.script().refunds.values().cloned().collect()
    }

    /// Whatever it was told to pay back, repetitions too.
    pub fn refund_orders(&self) -> Vec<RefundOrder> {
        self.script().refund_orders.clone()
    }

    /// How many checkouts it has made.
    pub fn checkouts(&self) -> usize {
        self.script().checkouts.len()
    }

    /// Every request for a checkout, repetitions too.
    pub fn requests(&self) -> Vec<CheckoutRequest> {
        self.script().requests.clone()
    }

    /// Every question about payments.
    /// There is this membership now, with this licence key; one with the same id is replaced.
    pub fn has_membership(&self, key: &str, facts: MembershipFacts) {
        let memberships = &mut self.script().memberships;
        memberships.retain(|(_, other)| other.membership_id != facts.membership_id);
        memberships.push((key.to_owned(), facts));
    }

    /// How often memberships were asked for.
    pub fn asked_memberships(&self) -> usize {
        self.script().asked_memberships
    }

    pub fn queries(&self) -> Vec<PaymentQuery> {
        self.script().queries.clone()
    }

    async fn answer(&self) {
        self.answering.subscribe().wait_for(|answering| *answering).await.unwrap();
    }
}

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
