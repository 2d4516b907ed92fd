//! What can happen: every operation of the kernel, alone and in batches, and time passing by a lot or a hold.

use atlas::ledger::take_back::Part;
use domain::ledger::LotSource;
use proptest::prelude::*;
use proptest::strategy::ValueTree;

pub const PEOPLE: usize = 3;
pub const PAYMENTS: usize = 4;

/// One step. Keys and numbers are few, so that they meet again, with the same request and with others.
#[derive(Debug, Clone)]
pub enum Step {
    Grant(Vec<Granted>),
    /// The only grant of a payment, and its bonus unless that is 0.
    Buy {
        who: usize,
        payment: usize,
        credits: i64,
        bonus: i64,
    },
    Spend(Vec<Spent>),
    Reserve {
        key: u8,
        who: usize,
        credits: i64,
    },
    /// Ends the hold that was made as the `nth`; with a capture, or without.
    Capture {
        nth: usize,
        credits: i64,
    },
    Release {
        nth: usize,
    },
    TakeBack {
        payment: usize,
        part: Part,
        taken: i64,
        frozen: i64,
    },
    Transfer {
        key: u8,
        from: usize,
        to: usize,
        credits: i64,
    },
    /// Lets the `nth` lot of a person pass its end.
    OutdateLot {
        who: usize,
        nth: usize,
    },
    OutdateHold {
        nth: usize,
    },
    Expire,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    pub key: u8,
    pub who: usize,
    pub credits: i64,
    pub source: LotSource,
    pub expiry: Expiry,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    pub key: u8,
    pub who: usize,
    pub credits: i64,
}

/// When a lot ends, as far as the order of spending cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expiry {
    Past,
    Soon,
    Late,
    Never,
}

/// How far numbers reach: as there is more to say, there are more keys and holds to say it of.
#[derive(Debug, Clone, Copy)]
pub struct Reach(u8);

impl Reach {
    /// For sequences of this many steps, up to 700.
    pub fn of(length: usize) -> Self {
        Self(u8::try_from(length / 60).unwrap().clamp(1, 8))
    }
}

fn granted(reach: Reach) -> impl Strategy<Value = Granted> {
    let source = prop::sample::select(vec![LotSource::Promo, LotSource::Subscription, LotSource::Manual]);
    let expiry = prop::sample::select(vec![Expiry::Past, Expiry::Soon, Expiry::Late, Expiry::Never]);
    let key = 0..20 * reach.0;
    (key, 0..PEOPLE, 0_i64..20, source, expiry).prop_map(|(key, who, credits, source, expiry)| Granted {
        key,
        who,
        credits,
        source,
        expiry,
    })
}

fn spent(reach: Reach) -> impl Strategy<Value = Spent> {
    (0..30 * reach.0, 0..PEOPLE, -1_i64..25).prop_map(|(key, who, credits)| Spent { key, who, credits })
}

/// Anything but a sweep.
fn movement(reach: Reach) -> impl Strategy<Value = Step> {
    let person = || 0..PEOPLE;
    let hold = || 0..4 + 4 * usize::from(reach.0);
    prop_oneof![
        3 => prop::collection::vec(granted(reach), 1..5).prop_map(Step::Grant),
        4 => (person(), 0..PAYMENTS, 1_i64..40, 0_i64..12)
            .prop_map(|(who, payment, credits, bonus)| Step::Buy { who, payment, credits, bonus }),
        4 => prop::collection::vec(spent(reach), 1..6).prop_map(Step::Spend),
        3 => (0..12 * reach.0, person(), 0_i64..25)
            .prop_map(|(key, who, credits)| Step::Reserve { key, who, credits }),
        2 => (hold(), -1_i64..25).prop_map(|(nth, credits)| Step::Capture { nth, credits }),
        2 => hold().prop_map(|nth| Step::Release { nth }),
        5 => (0..PAYMENTS, -1_i64..40, -1_i64..40)
            .prop_map(|(payment, taken, frozen)| Step::TakeBack { payment, part: Part::Bought, taken, frozen }),
        3 => (0..PAYMENTS, -1_i64..12, -1_i64..12)
            .prop_map(|(payment, taken, frozen)| Step::TakeBack { payment, part: Part::Bonus, taken, frozen }),
        2 => (0..12 * reach.0, person(), person(), 0_i64..25)
            .prop_map(|(key, from, to, credits)| Step::Transfer { key, from, to, credits }),
        1 => (person(), 0..6 * usize::from(reach.0)).prop_map(|(who, nth)| Step::OutdateLot { who, nth }),
        1 => hold().prop_map(|nth| Step::OutdateHold { nth }),
    ]
}

/// A short sequence.
pub fn sequence(longest: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![29 => movement(Reach::of(longest)), 1 => Just(Step::Expire)];
    prop::collection::vec(step, 1..longest)
}

/// The sequence of this number, the same each time. Every so often it sweeps, and so do all others of the length.
pub fn numbered(number: u64, length: usize) -> impl Iterator<Item = Step> {
    const SWEEPS_EVERY: usize = 40;
    let mut runner = crate::cases::numbered(number);
    let movement = movement(Reach::of(length));
    (1..=length).map(move |place| {
        let next = movement.new_tree(&mut runner).unwrap().current();
        if place % SWEEPS_EVERY == 0 { Step::Expire } else { next }
    })
}
