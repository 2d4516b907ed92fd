//! Makes up an old database, realistic and damaged: CSV files and a dump with the same rows, and how much damage of which kind
//! was done. The same seed makes the same rows.

#[path = "legacy/files.rs"]
mod files;

use std::io;
use std::path::Path;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use time::{Duration, OffsetDateTime};

use self::files::Files;

/// How much of what.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    pub profiles: usize,
    pub transactions: usize,
    pub seed: u64,
}

/// Each kind, by the code that the import has for it, and how many rows got it.
pub type Planted = Vec<(&'static str, usize)>;

/// Every kind of damage; each damaged person has one of them.
const KINDS: [&str; 25] = [
    "balance_differs",
    "balance_negative",
    "balance_unreadable",
    "email_unusable",
    "email_doubled",
    "profile_doubled",
    "transaction_of_nobody",
    "order_of_nobody",
    "order_not_credited",
    "order_credited_twice",
    "order_state_unknown",
    "order_unreadable",
    "order_doubled",
    "plan_unknown",
    "price_unreadable",
    "transaction_doubled",
    "amount_unreadable",
    "chain_broken",
    "kind_unknown",
    "time_unreadable",
    "time_in_future",
    "text_repaired",
    "text_too_long",
    "was_staff",
    "id_unusable",
];
const FIRST: [&str; 8] = ["Ana", "Björn", "Chloé", "Dmitri", "Emre", "Fatima", "Grace", "Hiroshi"];
const LAST: [&str; 7] = ["Lovelace", "O’Neil", "García", "Nguyễn", "van Dijk", "Schmidt, Jr.", "Müller"];
const PLANS: [(&str, i64, &str); 3] =
    [("starter", 5_000, "7.50"), ("pro", 25_000, "32.50"), ("enterprise", 100_000, "")];
/// Transactions that everybody has at least, so that each kind of damage has something to damage.
const TRANSACTIONS_MIN: usize = 3;

/// Errors: whatever writing the files gives; a wish for fewer transactions than three for each profile and one more for each
/// damaged one.
pub fn make(wish: Wish, folder: &Path) -> io::Result<Planted> {
    let unit = (wish.profiles / 2_000).max(1);
    let planted: Planted = KINDS.iter().zip(0..).map(|(kind, place)| (*kind, unit * (2 + place % 4))).collect();
    let count = |wanted: &[&str]| planted.iter().filter(|(kind, _)| wanted.contains(kind)).map(|(_, rows)| rows).sum();
    let further_profiles: usize = count(&["email_doubled", "profile_doubled"]);
    let further_rows: usize = count(&[
        "balance_negative",
        "email_doubled",
        "transaction_of_nobody",
        "order_credited_twice",
        "transaction_doubled",
        "amount_unreadable",
        "kind_unknown",
        "id_unusable",
    ]) + count(&["order_credited_twice"]);
    let damaged: usize = planted.iter().map(|(_, rows)| rows).sum();
    let people = wish.profiles.saturating_sub(further_profiles);
    let ordinary = wish.transactions.saturating_sub(further_rows);
    if people < damaged || ordinary < people * TRANSACTIONS_MIN {
        return Err(io::Error::other("too few rows for all the damage"));
    }
    let mut kinds = planted.iter().flat_map(|(kind, rows)| std::iter::repeat_n(*kind, *rows));
    let stride = people / damaged;
    let mut maker = Maker { random: StdRng::seed_from_u64(wish.seed), files: Files::begin(folder)?, number: 0 };
    let mut left = ordinary;
    for person in 0..people {
        let others = people - person - 1;
        let share = (left - others * TRANSACTIONS_MIN).min(left / (others + 1) * 2 - TRANSACTIONS_MIN);
        let some =
            if others == 0 { left } else { maker.random.random_range(TRANSACTIONS_MIN..=share.max(TRANSACTIONS_MIN)) };
        left -= some;
        let damage = if person % stride == 0 { kinds.next() } else { None };
        maker.person(some, damage.unwrap_or_default())?;
    }
    maker.files.finish(folder)?;
    Ok(planted)
}

struct Maker {
    random: StdRng,
    files: Files,
    number: u64,
}

/// Somebody while their story is told.
struct Story {
    id: String,
    email: String,
    name: Vec<u8>,
    balance: i64,
    since: OffsetDateTime,
    now: OffsetDateTime,
}

impl Maker {
    fn id(&mut self) -> String {
        let bits: u128 = self.random.random();
        let hex = format!("{bits:032x}");
        format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    }

    fn person(&mut self, transactions: usize, damage: &str) -> io::Result<()> {
        self.number += 1;
        let since =
            OffsetDateTime::UNIX_EPOCH + Duration::seconds(self.random.random_range(1_680_000_000..1_740_000_000));
        let (first, last) =
            (FIRST[self.random.random_range(0..FIRST.len())], LAST[self.random.random_range(0..LAST.len())]);
        let mut story = Story {
            id: self.id(),
            email: format!("{}.{}@example.com", first.to_lowercase(), self.number),
            name: format!("{first} {last}").into_bytes(),
            balance: 0,
            since,
            now: since,
        };
        for turn in 0..transactions {
            let is_last = turn + 1 == transactions;
            self.turn(&mut story, is_last, damage)?;
        }
        self.order_aside(&mut story, damage)?;
        self.transaction_aside(&mut story, damage)?;
        self.profile(&mut story, damage)
    }

    /// A purchase while there is little, else usage and now and then a bonus.
    fn turn(&mut self, story: &mut Story, is_last: bool, damage: &str) -> io::Result<()> {
        story.now += Duration::minutes(self.random.random_range(1..9_000));
        if story.balance < 100 && !is_last {
            let (plan, credits, price) = PLANS[[0, 0, 0, 1, 1, 2][self.random.random_range(0..6)]];
            let order = self.order(story, plan, &credits.to_string(), price, "approved", 1)?;
            return self.transaction(story, credits, "purchase", &order, damage, is_last);
        }
        let amount = match self.random.random_range(0..12) {
            0 => 250,
            _ => -self.random.random_range(1..=story.balance.clamp(1, 4_000)),
        };
        let amount = if story.balance + amount < 0 { 250 } else { amount };
        let kind = if amount > 0 { "bonus" } else { "usage" };
        self.transaction(story, amount, kind, "", damage, is_last)
    }

    fn transaction(
        &mut self,
        story: &mut Story,
        amount: i64,
        kind: &str,
        order: &str,
        damage: &str,
        is_last: bool,
    ) -> io::Result<()> {
        story.balance += amount;
        let (id, now) = (self.id(), files::time(story.now));
        let after = story.balance + if is_last && damage == "chain_broken" { 7 } else { 0 };
        let now = if is_last && damage == "time_unreadable" { "yesterday" } else { &now };
        let (amount, after) = (amount.to_string(), after.to_string());
        let told = format!("{kind} of {}\nwith a \"quoted\", comma\tand tab", story.id);
        let row = [&id, &story.id, &amount, kind, &told, order, &after, now];
        self.files.transaction(&row)?;
        if is_last && damage == "transaction_doubled" {
            self.files.transaction(&row)?;
        }
        Ok(())
    }

    fn order(
        &mut self,
        story: &Story,
        plan: &str,
        credits: &str,
        price: &str,
        status: &str,
        times: usize,
    ) -> io::Result<String> {
        let (id, at) = (self.id(), files::time(story.now - Duration::seconds(30)));
        let answered = if status == "pending" { String::new() } else { files::time(story.now) };
        let note = if status == "pending" { "Please hurry,\nwe ran \"dry\"" } else { "" };
        for _ in 0..times {
            self.files.order(&[&id, &story.id, plan, credits, price, status, note, &at, &answered, ""])?;
        }
        Ok(id)
    }

    /// What most people have at most once: an order that waits for an answer, or got a no. Or a damaged one.
    fn order_aside(&mut self, story: &mut Story, damage: &str) -> io::Result<()> {
        story.now += Duration::minutes(5);
        let nobody = Story { id: self.id(), email: String::new(), name: Vec::new(), ..*story };
        let odd = ["lots", "0", "-5", "1.5"][self.random.random_range(0..4)];
        match damage {
            "order_of_nobody" => self.order(&nobody, "pro", "25000", "32.50", "pending", 1)?,
            "order_not_credited" => self.order(story, "starter", "5000", "7.50", "approved", 1)?,
            "order_credited_twice" => {
                let order = self.order(story, "starter", "5000", "7.50", "approved", 1)?;
                self.transaction(story, 5_000, "purchase", &order, "", false)?;
                story.now += Duration::minutes(1);
                self.transaction(story, 5_000, "purchase", &order, "", false)?;
                order
            }
            "order_state_unknown" => self.order(story, "starter", "5000", "7.50", "on_hold", 1)?,
            "order_unreadable" => self.order(story, "starter", odd, "7.50", "pending", 1)?,
            "order_doubled" => self.order(story, "starter", "5000", "7.50", "pending", 2)?,
            "plan_unknown" => self.order(story, "Platinum 2023", "7500", "9.99", "pending", 1)?,
            "price_unreadable" => self.order(story, "starter", "5000", "free", "pending", 1)?,
            _ => match self.random.random_range(0..20) {
                0 => self.order(story, "Enterprise", "100000", "", "pending", 1)?,
                1 => self.order(story, "pro", "25000", "32.50", "cancelled", 1)?,
                _ => return Ok(()),
            },
        };
        Ok(())
    }

    fn transaction_aside(&mut self, story: &mut Story, damage: &str) -> io::Result<()> {
        story.now += Duration::minutes(5);
        let (id, other, now) = (self.id(), self.id(), files::time(story.now));
        let odd = ["ten", "1.5", "99999999999999999999", ""][self.random.random_range(0..4)];
        match damage {
            "balance_negative" => self.transaction(story, -story.balance - 40, "usage", "", "", false),
            "transaction_of_nobody" => self.files.transaction(&[&id, &other, "10", "bonus", "", "", "10", &now]),
            "amount_unreadable" => self.files.transaction(&[&id, &story.id, odd, "usage", "", "", "", &now]),
            "kind_unknown" => self.files.transaction(&[&id, &story.id, "0", "mystery", "", "", "", &now]),
            "id_unusable" => self.files.transaction(&["", &story.id, "10", "bonus", "", "", "", &now]),
            _ => Ok(()),
        }
    }

    fn profile(&mut self, story: &mut Story, damage: &str) -> io::Result<()> {
        let mut credits = story.balance.to_string();
        let mut since = files::time(story.since);
        let odd = self.random.random_range(0..4);
        match damage {
            "balance_differs" => credits = (story.balance + self.random.random_range(1..500)).to_string(),
            "balance_unreadable" => ["12.5", "n/a", "99999999999999999999", ""][odd].clone_into(&mut credits),
            "email_unusable" => ["", "not an address", "ana@", "@example.com"][odd].clone_into(&mut story.email),
            "time_in_future" => "2099-01-01 00:00:00+00".clone_into(&mut since),
            "text_repaired" => story.name.extend(if odd % 2 == 0 { &b" \xff\xfe"[..] } else { &b"\0x"[..] }),
            "text_too_long" => story.name = "An endless name ".repeat(20).trim().into(),
            _ => {}
        }
        let role = if damage == "was_staff" { "admin" } else { "user" };
        self.files.profile(&story.id, &story.email, &story.name, &credits, role, &since)?;
        match damage {
            "profile_doubled" => self.files.profile(&story.id, &story.email, b"Somebody", "1", role, &since),
            "email_doubled" => {
                let mut other = Story {
                    id: self.id(),
                    email: story.email.to_uppercase(),
                    name: story.name.clone(),
                    balance: 0,
                    ..*story
                };
                self.transaction(&mut other, 300, "bonus", "", "", false)?;
                self.files.profile(&other.id, &other.email, &other.name, "300", role, &since)
            }
            _ => Ok(()),
        }
    }
}
