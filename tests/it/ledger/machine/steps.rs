//! What can happen: every operation of the kernel, alone and in batches, and time passing by a lot or a hold.

use domain::ledger::LotSource;
use proptest::prelude::*;

pub const PEOPLE: usize = 3;
pub const PAYMENTS: usize = 4;

/// One step. Keys and numbers are few, so that they meet again, with the same request and with others.
#[derive(Debug, Clone)]
pub enum Step {
    Grant(Vec<Granted>),
    /// The only grant of a payment.
    Buy {
        who: usize,
        payment: usize,
        credits: i64,
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

fn granted() -> impl Strategy<Value = Granted> {
    let source = prop::sample::select(vec![LotSource::Promo, LotSource::Subscription, LotSource::Manual]);
    let expiry = prop::sample::select(vec![Expiry::Past, Expiry::Soon, Expiry::Late, Expiry::Never]);
    (0_u8..20, 0..PEOPLE, 0_i64..20, source, expiry).prop_map(|(key, who, credits, source, expiry)| Granted {
        key,
        who,
        credits,
        source,
        expiry,
    })
}

fn spent() -> impl Strategy<Value = Spent> {
    (0_u8..30, 0..PEOPLE, -1_i64..25).prop_map(|(key, who, credits)| Spent { key, who, credits })
}

pub fn step() -> impl Strategy<Value = Step> {
    let person = || 0..PEOPLE;
    prop_oneof![
        3 => prop::collection::vec(granted(), 1..5).prop_map(Step::Grant),
        4 => (person(), 0..PAYMENTS, 1_i64..40)
            .prop_map(|(who, payment, credits)| Step::Buy { who, payment, credits }),
        4 => prop::collection::vec(spent(), 1..6).prop_map(Step::Spend),
        3 => (0_u8..12, person(), 0_i64..25).prop_map(|(key, who, credits)| Step::Reserve { key, who, credits }),
        2 => (0_usize..8, -1_i64..25).prop_map(|(nth, credits)| Step::Capture { nth, credits }),
        2 => (0_usize..8).prop_map(|nth| Step::Release { nth }),
        5 => (0..PAYMENTS, -1_i64..40, -1_i64..40)
            .prop_map(|(payment, taken, frozen)| Step::TakeBack { payment, taken, frozen }),
        2 => (0_u8..12, person(), person(), 0_i64..25)
            .prop_map(|(key, from, to, credits)| Step::Transfer { key, from, to, credits }),
        1 => (person(), 0_usize..6).prop_map(|(who, nth)| Step::OutdateLot { who, nth }),
        1 => (0_usize..8).prop_map(|nth| Step::OutdateHold { nth }),
        1 => Just(Step::Expire),
    ]
}
