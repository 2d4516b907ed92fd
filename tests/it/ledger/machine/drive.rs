//! Carries the steps out on the real kernel, and tells its answers in the model's words.

use atlas::ids;
use atlas::ledger::Key;
use atlas::ledger::expire::expire;
use atlas::ledger::grant::{Grant, grant_batch};
use atlas::ledger::hold::Reserve;
use atlas::ledger::spend::{Spend, spend_batch};
use atlas::ledger::transfer::{Transfer, transfer};
use atlas::people::SignedIn;
use domain::{Credits, HoldId};
use time::OffsetDateTime;

use super::model::Answers;
use super::steps::{Expiry, Granted, PEOPLE, Spent, Step};
use crate::stage::{Stage, promo, reservation, usage};

pub struct World<'a> {
    stage: &'a Stage,
    /// Begins every scope and payment, so that sequences in one database do not meet.
    name: String,
    people: Vec<SignedIn>,
    holds: Vec<HoldId>,
}

impl Expiry {
    fn instant(self) -> Option<OffsetDateTime> {
        let second = match self {
            Self::Past => 946_684_800,
            Self::Soon => 32_503_680_000,
            Self::Late => 64_060_588_800,
            Self::Never => return None,
        };
        Some(OffsetDateTime::from_unix_timestamp(second).unwrap())
    }
}

impl<'a> World<'a> {
    pub async fn new(stage: &'a Stage) -> Self {
        // What earlier sequences left to be swept is not for this one to count.
        while !expire(&stage.ctx.db, 1_000).await.unwrap().is_nothing() {}
        let mut people = Vec::new();
        for _ in 0..PEOPLE {
            people.push(stage.buyer(&ids::fresh().simple().to_string()).await);
        }
        Self { stage, name: ids::fresh().simple().to_string(), people, holds: Vec::new() }
    }

    fn key(&self, scope: &str, key: u8) -> Key {
        Key::new(format!("{} {scope}", self.name), key.to_string())
    }

    fn payment(&self, payment: usize) -> String {
        format!("{} {payment}", self.name)
    }

    fn hold(&self, nth: usize) -> HoldId {
        self.holds.get(nth).copied().unwrap_or_else(|| HoldId::from_uuid(ids::fresh()))
    }

    pub async fn carry_out(&mut self, step: &Step) -> Answers {
        let stage = self.stage;
        match step {
            Step::Grant(items) => {
                let batch: Vec<_> = items.iter().map(|item| self.grant(item)).collect();
                let answers = stage.commits(async |tx| grant_batch(tx, &batch).await).await.unwrap();
                answers.iter().map(|answer| answer.map(|moved| (moved.replayed, moved.net.get()))).collect()
            }
            Step::Spend(items) => {
                let batch: Vec<_> = items.iter().map(|item| self.spend(item)).collect();
                let answers = stage.commits(async |tx| spend_batch(tx, &batch).await).await.unwrap();
                answers.iter().map(|answer| answer.map(|moved| (moved.replayed, moved.net.get()))).collect()
            }
            Step::Buy { who, payment, credits } => vec![self.buy(*who, &self.payment(*payment), *credits).await],
            Step::Reserve { key, who, credits } => {
                let request = Reserve { key: self.key("test", *key), ..reservation(&self.people[*who], *credits) };
                vec![stage.reserves(&request).await.map(|held| {
                    let known = self.holds.iter().position(|hold| *hold == held.hold);
                    let nth = known.unwrap_or_else(|| {
                        self.holds.push(held.hold);
                        self.holds.len() - 1
                    });
                    (held.replayed, i64::try_from(nth).unwrap())
                })]
            }
            Step::Capture { nth, credits } => {
                let ended = stage.captures(self.hold(*nth), *credits).await;
                vec![ended.map(|ended| (ended.replayed, ended.net.get()))]
            }
            Step::Release { nth } => {
                let ended = stage.releases(self.hold(*nth)).await;
                vec![ended.map(|ended| (ended.replayed, ended.net.get()))]
            }
            Step::TakeBack { payment, taken, frozen } => {
                let done = stage.takes_back(&self.payment(*payment), *taken, *frozen).await;
                vec![done.map(|done| (done.unchanged, done.net.get()))]
            }
            Step::Transfer { key, from, to, credits } => {
                let batch = [Transfer {
                    key: self.key("transfer", *key),
                    from: self.people[*from].id(),
                    to: self.people[*to].id(),
                    credits: Credits::new(*credits),
                    actor: "test".to_owned(),
                    description: "Shared".to_owned(),
                }];
                let answers = stage.commits(async |tx| transfer(tx, &batch).await).await.unwrap();
                answers.iter().map(|answer| answer.map(|moved| (moved.replayed, moved.net.get()))).collect()
            }
            Step::OutdateLot { who, nth } => {
                self.outdate_lot(*who, *nth).await;
                Vec::new()
            }
            Step::OutdateHold { nth } => {
                stage.outdates(self.hold(*nth)).await;
                Vec::new()
            }
            Step::Expire => {
                let swept = expire(&stage.ctx.db, 1_000).await.unwrap();
                vec![Ok((false, swept.credits.get()))]
            }
        }
    }

    fn grant(&self, item: &Granted) -> Grant {
        Grant {
            key: self.key("test", item.key),
            source: item.source,
            expires_at: item.expiry.instant(),
            ..promo(&self.people[item.who], item.credits)
        }
    }

    fn spend(&self, item: &Spent) -> Spend {
        Spend { key: self.key("test", item.key), ..usage(&self.people[item.who], item.credits) }
    }

    async fn buy(&self, who: usize, payment: &str, credits: i64) -> Result<(bool, i64), atlas::Refusal> {
        let known: i64 = sqlx::query_scalar("select count(*) from payments where payment_id = $1")
            .bind(payment)
            .fetch_one(&self.stage.owner)
            .await
            .unwrap();
        let request = if known == 0 {
            self.stage.purchase(&self.people[who], payment, credits).await
        } else {
            // The same payment under another key.
            let paid = atlas::ledger::grant::PaymentKey { provider: domain::Provider::Whop, id: payment.to_owned() };
            Grant { paid: Some((paid, domain::Money::usd(100))), ..promo(&self.people[who], credits) }
        };
        let answers = self.stage.commits(async |tx| grant_batch(tx, &[request]).await).await.unwrap();
        let moved = answers[0]?;
        self.stage.settled(payment, moved.transaction.uuid()).await;
        Ok((moved.replayed, moved.net.get()))
    }

    async fn outdate_lot(&self, who: usize, nth: usize) {
        sqlx::query(
            "update credit_lots set expires_at = '2000-01-01' where id = (
                select id from credit_lots where account_id = (select id from credit_accounts where owner_id = $1)
                order by id offset $2 limit 1)",
        )
        .bind(self.people[who].id())
        .bind(i64::try_from(nth).unwrap())
        .execute(&self.stage.owner)
        .await
        .unwrap();
    }

    /// Posted, held, debt, and what is left and held in each lot, person by person.
    pub async fn stands(&self) -> Vec<(i64, i64, i64, Vec<(i64, i64)>)> {
        let mut stands = Vec::new();
        for person in &self.people {
            let (posted, held, debt) = self.stage.stands(person).await;
            stands.push((posted, held, debt, self.stage.lots(person).await));
        }
        stands
    }
}
