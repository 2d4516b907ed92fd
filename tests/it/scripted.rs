//! A payment provider that does what a test tells it, and remembers what it was asked. Checkouts are idempotent by
//! order, as at a real one.

mod provider;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};

use atlas::events::{Content, Fact, MembershipFacts, PaymentFacts, ReadEvent, RefundFacts};
use atlas::providers::{Checkout, CheckoutRequest, PaymentQuery, ProviderError, RefundOrder, Unreadable};
use domain::{OrderId, RefundRequestId, RefundState};
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

    /// Every question about payments.
    pub fn queries(&self) -> Vec<PaymentQuery> {
        self.script().queries.clone()
    }

    async fn answer(&self) {
        self.answering.subscribe().wait_for(|answering| *answering).await.unwrap();
    }
}
