//! What one sequence speaks of: its people, payments and holds, and its steps as requests to the kernel.

use std::collections::HashSet;

use atlas::ids;
use atlas::ledger::Key;
use atlas::ledger::grant::Grant;
use atlas::ledger::hold::{Held, Reserve};
use atlas::ledger::spend::Spend;
use atlas::ledger::transfer::Transfer;
use atlas::people::SignedIn;
use domain::{Credits, HoldId, PersonId};
use time::OffsetDateTime;

use super::steps::{Expiry, Granted, PEOPLE, Spent};
use crate::stage::{Stage, promo, reservation, usage};

pub struct World {
    /// Begins every scope and payment, so that sequences in one database do not meet.
    name: String,
    people: Vec<SignedIn>,
    holds: Vec<HoldId>,
    bought: HashSet<usize>,
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

impl World {
    pub async fn new(stage: &Stage) -> Self {
        let mut people = Vec::new();
        for _ in 0..PEOPLE {
            people.push(stage.buyer(&ids::fresh().simple().to_string()).await);
        }
        Self { name: ids::fresh().simple().to_string(), people, holds: Vec::new(), bought: HashSet::new() }
    }

    pub fn people(&self) -> impl Iterator<Item = PersonId> {
        self.people.iter().map(|person| person.id())
    }

    pub fn person(&self, who: usize) -> &SignedIn {
        &self.people[who]
    }

    fn key(&self, scope: &str, key: u8) -> Key {
        Key::new(format!("{} {scope}", self.name), key.to_string())
    }

    pub fn payment(&self, payment: usize) -> String {
        format!("{} {payment}", self.name)
    }

    /// Whether this is the first time that it is paid.
    pub fn pays_first(&mut self, payment: usize) -> bool {
        self.bought.insert(payment)
    }

    pub fn hold(&self, nth: usize) -> HoldId {
        self.holds.get(nth).copied().unwrap_or_else(|| HoldId::from_uuid(ids::fresh()))
    }

    /// The place of a hold among those that were made.
    pub fn numbered(&mut self, held: Held) -> i64 {
        let known = self.holds.iter().position(|hold| *hold == held.hold);
        let nth = known.unwrap_or_else(|| {
            self.holds.push(held.hold);
            self.holds.len() - 1
        });
        i64::try_from(nth).unwrap()
    }

    pub fn grant(&self, item: &Granted) -> Grant {
        Grant {
            key: self.key("test", item.key),
            source: item.source,
            expires_at: item.expiry.instant(),
            ..promo(&self.people[item.who], item.credits)
        }
    }

    pub fn spend(&self, item: &Spent) -> Spend {
        Spend { key: self.key("test", item.key), ..usage(&self.people[item.who], item.credits) }
    }

    pub fn reserve(&self, key: u8, who: usize, credits: i64) -> Reserve {
        Reserve { key: self.key("test", key), ..reservation(&self.people[who], credits) }
    }

    pub fn transfer(&self, key: u8, from: usize, to: usize, credits: i64) -> Transfer {
        Transfer {
            key: self.key("transfer", key),
            from: self.people[from].id(),
            to: self.people[to].id(),
            credits: Credits::new(credits),
            actor: "test".to_owned(),
            description: "Shared".to_owned(),
        }
    }
}
