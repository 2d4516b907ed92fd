//! Any sequence of grants, spends, repetitions and debts does what a plain model of a wallet does.

use std::collections::BTreeMap;

use atlas::ledger::Moved;
use atlas::ledger::grant::Grant;
use atlas::ledger::spend::Spend;
use atlas::people::SignedIn;
use atlas::{Error, Refusal, Result};
use domain::Credits;
use domain::ledger::LotSource;
use proptest::prelude::*;
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::cases;
use crate::stage::{Stage, promo, usage};

/// One step. `key` is one of few, so that keys meet again with the same request and with others.
#[derive(Debug, Clone)]
enum Step {
    Grant { key: u8, credits: i64, source: LotSource, expiry: Expiry },
    Spend { key: u8, credits: i64 },
    Owe { credits: i64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Expiry {
    Past,
    Soon,
    Late,
    Never,
}

impl Expiry {
    fn instant(self) -> Option<OffsetDateTime> {
        let year = match self {
            Self::Past => 946_684_800,
            Self::Soon => 32_503_680_000,
            Self::Late => 64_060_588_800,
            Self::Never => return None,
        };
        Some(OffsetDateTime::from_unix_timestamp(year).unwrap())
    }
}

fn step() -> impl Strategy<Value = Step> {
    let source = prop::sample::select(vec![LotSource::Promo, LotSource::Subscription, LotSource::Purchase]);
    let expiry = prop::sample::select(vec![Expiry::Past, Expiry::Soon, Expiry::Late, Expiry::Never]);
    prop_oneof![
        4 => (0_u8..12, 1_i64..20, source, expiry)
            .prop_map(|(key, credits, source, expiry)| Step::Grant { key, credits, source, expiry }),
        5 => (0_u8..12, -1_i64..25).prop_map(|(key, credits)| Step::Spend { key, credits }),
        1 => (1_i64..15).prop_map(|credits| Step::Owe { credits }),
    ]
}

/// What an answer has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Moved { replayed: bool, net: i64, debt_change: i64, balance_after: i64, debt_after: i64 },
    Refused(Refusal),
    Broken,
}

/// A wallet, told plainly.
#[derive(Default)]
struct Model {
    /// Remaining credits by burn order: priority, expiry, age.
    lots: BTreeMap<(i16, Expiry, usize), i64>,
    debt: i64,
    answers: BTreeMap<u8, (String, Answer)>,
}

impl Model {
    fn posted(&self) -> i64 {
        self.lots.values().sum()
    }

    fn apply(&mut self, step: &Step) -> Answer {
        let key = match step {
            Step::Owe { credits } => {
                self.debt += credits;
                return Answer::Broken;
            }
            Step::Grant { key, .. } | Step::Spend { key, .. } => *key,
        };
        if matches!(step, Step::Spend { credits, .. } if *credits < 1) {
            return Answer::Broken;
        }
        let request = format!("{step:?}");
        if let Some((earlier, answer)) = self.answers.get(&key) {
            return match answer {
                Answer::Moved { net, debt_change, balance_after, debt_after, .. } if *earlier == request => {
                    Answer::Moved {
                        replayed: true,
                        net: *net,
                        debt_change: *debt_change,
                        balance_after: *balance_after,
                        debt_after: *debt_after,
                    }
                }
                _ => Answer::Refused(Refusal::KeyUsedForAnotherRequest),
            };
        }
        let (before, debt_before) = (self.posted(), self.debt);
        match step {
            Step::Grant { credits, source, expiry, .. } => {
                let repaid = self.debt.min(*credits);
                self.debt -= repaid;
                self.lots.insert((source.priority(), *expiry, self.lots.len()), credits - repaid);
            }
            Step::Spend { credits, .. } => {
                if self.debt > 0 {
                    return Answer::Refused(Refusal::CreditsAreOwed);
                }
                let usable = self.lots.iter().filter(|((_, expiry, _), _)| *expiry != Expiry::Past);
                if usable.map(|(_, remaining)| remaining).sum::<i64>() < *credits {
                    return Answer::Refused(Refusal::NotEnoughCredits);
                }
                let mut wanted = *credits;
                for (_, remaining) in self.lots.iter_mut().filter(|((_, expiry, _), _)| *expiry != Expiry::Past) {
                    let taken = wanted.min(*remaining);
                    *remaining -= taken;
                    wanted -= taken;
                }
            }
            Step::Owe { .. } => {}
        }
        let answer = Answer::Moved {
            replayed: false,
            net: self.posted() - before,
            debt_change: self.debt - debt_before,
            balance_after: self.posted(),
            debt_after: self.debt,
        };
        self.answers.insert(key, (request, answer));
        answer
    }
}

async fn carry_out(stage: &Stage, person: &SignedIn, step: &Step) -> Answer {
    let scope = person.id().to_string();
    let answer = match step {
        Step::Owe { credits } => {
            stage.owes(person, *credits).await;
            return Answer::Broken;
        }
        Step::Grant { key, credits, source, expiry } => {
            let key = atlas::ledger::Key::new(scope, key.to_string());
            let expires_at = expiry.instant();
            stage.grants(&Grant { key, source: *source, expires_at, ..promo(person, *credits) }).await
        }
        Step::Spend { key, credits } => {
            let key = atlas::ledger::Key::new(scope, key.to_string());
            stage.spends(&Spend { key, ..usage(person, *credits) }).await
        }
    };
    plain(&answer)
}

fn plain(answer: &Result<Moved>) -> Answer {
    match answer {
        Ok(moved) => Answer::Moved {
            replayed: moved.replayed,
            net: moved.net.get(),
            debt_change: moved.debt_change.get(),
            balance_after: moved.balance_after.get(),
            debt_after: moved.debt_after.get(),
        },
        Err(Error::Refused(refusal)) => Answer::Refused(*refusal),
        Err(_) => Answer::Broken,
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_wallet_behaves_like_a_plain_model_of_it(pool: PgPool) {
    let stage = Stage::new(pool).await;
    cases::for_all(24, prop::collection::vec(step(), 1..40), async |steps| {
        let person = stage.buyer(&atlas::ids::fresh().simple().to_string()).await;
        let mut model = Model::default();
        for (place, step) in steps.iter().enumerate() {
            let (expected, answer) = (model.apply(step), carry_out(&stage, &person, step).await);
            if expected != answer {
                return Err(format!("step {place}: {answer:?}, but the model says {expected:?}"));
            }
        }
        let balance = stage.balance(&person).await;
        if (balance.posted, balance.debt) != (Credits::new(model.posted()), Credits::new(model.debt)) {
            return Err(format!("{balance:?}, but the model holds {} and owes {}", model.posted(), model.debt));
        }
        let lots: Vec<i64> = sqlx::query_scalar(
            "select remaining from credit_lots where account_id = (select id from credit_accounts where owner_id = $1)
            order by priority, expires_at, id",
        )
        .bind(person.id())
        .fetch_all(&stage.ctx.db)
        .await
        .unwrap();
        if !lots.iter().eq(model.lots.values()) {
            return Err(format!("lots of {lots:?}, but the model has {:?}", model.lots));
        }
        let findings = stage.findings().await;
        if findings.is_empty() { Ok(()) } else { Err(format!("{findings:?}")) }
    })
    .await;
}
