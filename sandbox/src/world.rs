//! Everything the sandbox knows, in memory: the records of one Whop account, its buyers and its webhooks.

pub mod journal;
pub mod table;

use std::sync::Arc;

use rand::rngs::StdRng;

use crate::api::idempotency::StoredAnswer;
use crate::checkouts::Checkout;
use crate::clock::Moment;
use crate::disputes::Dispute;
use crate::faults::Faults;
use crate::ids::{Ids, generator};
use crate::memberships::Membership;
use crate::oauth::{Asked, Code, Grant, Token};
use crate::options::Settings;
use crate::payments::Payment;
use crate::people::Person;
use crate::plans::Plan;
use crate::products::Product;
use crate::refunds::Refund;
use crate::webhooks::deliver::Dispatch;
use crate::webhooks::{Attempt, Endpoint, Message};
pub use table::{Record, Table};

/// Attempts beyond this many are forgotten, oldest first.
const ATTEMPTS_MAX: usize = 100_000;

/// All records, and what a change still has to set in motion.
pub struct World {
    pub settings: Arc<Settings>,
    pub ids: Ids,
    /// Decides about faults by chance, apart from the ids.
    pub dice: StdRng,
    pub faults: Faults,
    pub products: Table<Product>,
    pub plans: Table<Plan>,
    pub checkouts: Table<Checkout>,
    pub payments: Table<Payment>,
    pub refunds: Table<Refund>,
    pub disputes: Table<Dispute>,
    pub memberships: Table<Membership>,
    pub people: Table<Person>,
    pub endpoints: Table<Endpoint>,
    pub messages: Table<Message>,
    pub attempts: Table<Attempt>,
    pub answers: Table<StoredAnswer>,
    pub codes: Table<Code>,
    pub grants: Table<Grant>,
    pub tokens: Table<Token>,
    /// How often the authorisation server was asked.
    pub asked: Asked,
    /// Messages to send once the change is done.
    pub outbox: Vec<Dispatch>,
    /// What must happen later.
    pub timers: Vec<Timer>,
}

/// A settlement that comes due.
#[derive(Clone, Debug)]
pub struct Timer {
    pub at: Moment,
    pub due: Due,
}

/// What settles.
#[derive(Clone, Debug)]
pub enum Due {
    Payment(String),
    Refund(String),
}

impl World {
    pub fn new(settings: Arc<Settings>) -> Self {
        let seed = settings.seed;
        Self {
            settings,
            ids: Ids::new(seed),
            dice: generator(seed, 1),
            faults: Faults::default(),
            products: Table::default(),
            plans: Table::default(),
            checkouts: Table::default(),
            payments: Table::default(),
            refunds: Table::default(),
            disputes: Table::default(),
            memberships: Table::default(),
            people: Table::default(),
            endpoints: Table::default(),
            messages: Table::default(),
            attempts: Table::default(),
            answers: Table::default(),
            codes: Table::default(),
            grants: Table::default(),
            tokens: Table::default(),
            asked: Asked::default(),
            outbox: Vec::new(),
            timers: Vec::new(),
        }
    }

    /// Keeps the tables that grow with traffic within bounds.
    pub fn trim(&mut self) {
        self.attempts.keep_newest(ATTEMPTS_MAX);
        self.messages.keep_newest(ATTEMPTS_MAX);
        self.answers.keep_newest(ATTEMPTS_MAX);
        self.codes.keep_newest(ATTEMPTS_MAX);
        self.tokens.keep_newest(ATTEMPTS_MAX);
    }
}
