//! The kernel, told plainly: vectors and loops, nothing clever.

mod payments;

use std::collections::BTreeMap;

use atlas::Refusal;
use atlas::ledger::take_back::Part;
use domain::ledger::LotSource;

use super::steps::{Expiry, Granted, PAYMENTS, PEOPLE, Spent, Step};

/// What a step answers, item by item: whether it was a repetition and how the credits moved, or why not.
pub type Answers = Vec<Result<(bool, i64), Refusal>>;

#[derive(Debug, Clone)]
struct Lot {
    owner: usize,
    priority: i16,
    expiry: Expiry,
    remaining: i64,
    held: i64,
    payment: Option<usize>,
}

#[derive(Debug, Clone)]
struct Hold {
    owner: usize,
    pieces: Vec<(usize, i64)>,
    open: bool,
    captured: Option<i64>,
    outdated: bool,
}

#[derive(Debug, Clone, Default)]
struct Payment {
    owner: usize,
    granted: i64,
    taken: i64,
    /// What its clawbacks took from which lot and did not give back.
    missing: BTreeMap<usize, i64>,
    freeze: Vec<(usize, i64)>,
    /// Of its own lots.
    expired: i64,
}

#[derive(Default)]
pub struct Model {
    /// In the order in which they were made, which is the order of their ids.
    lots: Vec<Lot>,
    debt: [i64; PEOPLE],
    holds: Vec<Hold>,
    /// The payments, and behind them the bonus of each.
    payments: [Option<Payment>; 2 * PAYMENTS],
    /// Requests carried out, by scope and key, with their answer.
    keys: BTreeMap<(&'static str, u8), (String, i64)>,
    hold_keys: BTreeMap<u8, (String, usize)>,
}

/// Of one person: posted, held, debt, and what is left and held in each lot.
pub type Standing = (i64, i64, i64, Vec<(i64, i64)>);

impl Model {
    /// Person by person.
    pub fn stands(&self) -> Vec<Standing> {
        (0..PEOPLE)
            .map(|who| {
                let lots: Vec<_> =
                    self.lots.iter().filter(|lot| lot.owner == who).map(|lot| (lot.remaining, lot.held)).collect();
                let (posted, held) = lots.iter().fold((0, 0), |sum, lot| (sum.0 + lot.0, sum.1 + lot.1));
                (posted, held, self.debt[who], lots)
            })
            .collect()
    }

    pub fn apply(&mut self, step: &Step) -> Answers {
        match step {
            Step::Grant(items) => items.iter().map(|item| self.grant(item)).collect(),
            Step::Spend(items) => items.iter().map(|item| self.spend(item)).collect(),
            Step::Buy { who, payment, credits, bonus } => self.buy(*who, *payment, *credits, *bonus),
            Step::Reserve { key, who, credits } => vec![self.reserve(*key, *who, *credits)],
            Step::Capture { nth, credits } => vec![self.end(*nth, *credits)],
            Step::Release { nth } => vec![self.end(*nth, 0)],
            Step::TakeBack { payment, part, taken, frozen } => {
                let nth = payment + if *part == Part::Bonus { PAYMENTS } else { 0 };
                vec![self.take_back(nth, *taken, *frozen)]
            }
            Step::Transfer { key, from, to, credits } => vec![self.transfer(*key, *from, *to, *credits)],
            Step::OutdateLot { who, nth } => {
                if let Some(lot) = self.lots.iter_mut().filter(|lot| lot.owner == *who).nth(*nth) {
                    lot.expiry = Expiry::Past;
                }
                Vec::new()
            }
            Step::OutdateHold { nth } => {
                if let Some(hold) = self.holds.get_mut(*nth) {
                    hold.outdated = true;
                }
                Vec::new()
            }
            Step::Expire => vec![Ok((false, self.expire()))],
        }
    }

    fn burn_order(&self, owner: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.lots.len())
            .filter(|lot| self.lots[*lot].owner == owner && self.lots[*lot].expiry != Expiry::Past)
            .collect();
        order.sort_by_key(|lot| (self.lots[*lot].priority, self.lots[*lot].expiry, *lot));
        order
    }

    fn free(&self, owner: usize) -> i64 {
        self.burn_order(owner).iter().map(|lot| self.lots[*lot].remaining - self.lots[*lot].held).sum()
    }

    /// Pieces of the lots, in this order, that give up to `wanted`.
    fn pieces(&self, order: &[usize], mut wanted: i64) -> Vec<(usize, i64)> {
        let mut pieces = Vec::new();
        for lot in order {
            let piece = wanted.min(self.lots[*lot].remaining - self.lots[*lot].held);
            if piece > 0 {
                pieces.push((*lot, piece));
                wanted -= piece;
            }
        }
        pieces
    }

    fn drain(&mut self, owner: usize, wanted: i64) -> Vec<(usize, i64)> {
        let pieces = self.pieces(&self.burn_order(owner), wanted);
        for (lot, piece) in &pieces {
            self.lots[*lot].remaining -= piece;
        }
        pieces
    }

    /// Pays what is owed from what is free.
    fn repay(&mut self, owner: usize) {
        let repaid = self.debt[owner].min(self.free(owner));
        self.drain(owner, repaid);
        self.debt[owner] -= repaid;
    }

    fn add(&mut self, owner: usize, credits: i64, priority: i16, expiry: Expiry, payment: Option<usize>) -> i64 {
        let repaid = self.debt[owner].min(credits);
        self.debt[owner] -= repaid;
        self.lots.push(Lot { owner, priority, expiry, remaining: credits - repaid, held: 0, payment });
        credits - repaid
    }

    fn earlier(&self, scope: &'static str, key: u8, request: &str) -> Option<Result<(bool, i64), Refusal>> {
        let (earlier, net) = self.keys.get(&(scope, key))?;
        Some(if earlier == request { Ok((true, *net)) } else { Err(Refusal::KeyUsedForAnotherRequest) })
    }

    fn grant(&mut self, item: &Granted) -> Result<(bool, i64), Refusal> {
        if item.credits < 1 {
            return Err(Refusal::NotBookable);
        }
        let request = format!("{item:?}");
        if let Some(answer) = self.earlier("test", item.key, &request) {
            return answer;
        }
        let net = self.add(item.who, item.credits, item.source.priority(), item.expiry, None);
        self.keys.insert(("test", item.key), (request, net));
        Ok((false, net))
    }

    fn buy(&mut self, who: usize, payment: usize, credits: i64, bonus: i64) -> Answers {
        if self.payments[payment].is_some() {
            return vec![Err(Refusal::NotBookable)];
        }
        let parts = [(payment, credits, LotSource::Purchase), (payment + PAYMENTS, bonus, LotSource::Bonus)];
        let given = parts.into_iter().filter(|(_, credits, _)| *credits > 0).map(|(nth, credits, source)| {
            self.payments[nth] = Some(Payment { owner: who, granted: credits, ..Payment::default() });
            Ok((false, self.add(who, credits, source.priority(), Expiry::Never, Some(nth))))
        });
        given.collect()
    }

    fn spend(&mut self, item: &Spent) -> Result<(bool, i64), Refusal> {
        if item.credits < 1 {
            return Err(Refusal::NotBookable);
        }
        let request = format!("{item:?}");
        if let Some(answer) = self.earlier("test", item.key, &request) {
            return answer;
        }
        self.may_take(item.who, item.credits)?;
        self.drain(item.who, item.credits);
        self.keys.insert(("test", item.key), (request, -item.credits));
        Ok((false, -item.credits))
    }

    fn may_take(&self, owner: usize, credits: i64) -> Result<(), Refusal> {
        if self.debt[owner] > 0 {
            return Err(Refusal::CreditsAreOwed);
        }
        if self.free(owner) < credits { Err(Refusal::NotEnoughCredits) } else { Ok(()) }
    }

    /// The answer's number is the place of the hold among all.
    fn reserve(&mut self, key: u8, who: usize, credits: i64) -> Result<(bool, i64), Refusal> {
        if credits < 1 {
            return Err(Refusal::NotBookable);
        }
        let request = format!("{who} {credits}");
        if let Some((earlier, nth)) = self.hold_keys.get(&key) {
            let nth = i64::try_from(*nth).unwrap();
            return if *earlier == request { Ok((true, nth)) } else { Err(Refusal::KeyUsedForAnotherRequest) };
        }
        self.may_take(who, credits)?;
        let pieces = self.pieces(&self.burn_order(who), credits);
        for (lot, piece) in &pieces {
            self.lots[*lot].held += piece;
        }
        self.holds.push(Hold { owner: who, pieces, open: true, captured: None, outdated: false });
        self.hold_keys.insert(key, (request, self.holds.len() - 1));
        Ok((false, i64::try_from(self.holds.len() - 1).unwrap()))
    }

    fn end(&mut self, nth: usize, captured: i64) -> Result<(bool, i64), Refusal> {
        let hold = self.holds.get(nth).cloned().ok_or(Refusal::NotBookable)?;
        let amount: i64 = hold.pieces.iter().map(|(_, piece)| piece).sum();
        if captured < 0 || captured > amount {
            return Err(Refusal::NotBookable);
        }
        if !hold.open {
            return match hold.captured {
                Some(earlier) if earlier == captured => Ok((true, -captured)),
                Some(_) if captured > 0 => Err(Refusal::KeyUsedForAnotherRequest),
                None if captured == 0 => Ok((true, 0)),
                _ => Err(Refusal::HoldHasEnded),
            };
        }
        if captured > 0 && hold.outdated {
            return Err(Refusal::HoldHasEnded);
        }
        let mut pieces = hold.pieces;
        pieces.sort_by_key(|(lot, _)| (self.lots[*lot].priority, self.lots[*lot].expiry, *lot));
        let mut wanted = captured;
        for (lot, piece) in pieces {
            let taken = wanted.min(piece);
            wanted -= taken;
            self.lots[lot].held -= piece;
            self.lots[lot].remaining -= taken;
        }
        self.holds[nth].open = false;
        self.holds[nth].captured = (captured > 0).then_some(captured);
        self.repay(hold.owner);
        Ok((false, -captured))
    }

    fn transfer(&mut self, key: u8, from: usize, to: usize, credits: i64) -> Result<(bool, i64), Refusal> {
        if credits < 1 || from == to {
            return Err(Refusal::NotBookable);
        }
        let request = format!("{from} {to} {credits}");
        if let Some(answer) = self.earlier("transfer", key, &request) {
            return answer;
        }
        self.may_take(from, credits)?;
        for (lot, piece) in self.drain(from, credits) {
            let moved = Lot { owner: to, remaining: piece, held: 0, payment: None, ..self.lots[lot].clone() };
            self.lots.push(moved);
        }
        self.repay(to);
        self.keys.insert(("transfer", key), (request, -credits));
        Ok((false, -credits))
    }

    /// Holds first, then lots; the answer's number is how many credits were lost.
    fn expire(&mut self) -> i64 {
        for nth in 0..self.holds.len() {
            if self.holds[nth].open && self.holds[nth].outdated {
                self.end(nth, 0).unwrap();
            }
        }
        let mut lost = 0;
        for lot in self.lots.iter_mut().filter(|lot| lot.expiry == Expiry::Past) {
            lost += lot.remaining - lot.held;
            if let Some(payment) = lot.payment.and_then(|nth| self.payments[nth].as_mut()) {
                payment.expired += lot.remaining - lot.held;
            }
            lot.remaining = lot.held;
        }
        lost
    }
}
