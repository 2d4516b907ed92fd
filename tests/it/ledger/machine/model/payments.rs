//! Taking back and giving back, told plainly.

use atlas::Refusal;
use domain::ledger::LotSource;

use super::{Lot, Model, Payment};
use crate::ledger::machine::steps::{Expiry, PAYMENTS};

impl Model {
    pub(super) fn take_back(&mut self, nth: usize, taken: i64, frozen: i64) -> Result<(bool, i64), Refusal> {
        let Some(mut payment) = self.payments[nth].clone() else {
            return if taken == 0 && frozen == 0 { Ok((true, 0)) } else { Err(Refusal::NotBookable) };
        };
        if taken < 0 || frozen < 0 || taken + frozen > payment.granted {
            return Err(Refusal::NotBookable);
        }
        let own: Vec<usize> = (0..self.lots.len()).filter(|lot| self.lots[*lot].payment == Some(nth)).collect();
        let frozen_now: i64 = payment.freeze.iter().map(|(_, piece)| piece).sum();
        let live: Vec<usize> =
            self.burn_order(payment.owner).into_iter().filter(|lot| self.lots[*lot].payment == Some(nth)).collect();
        let unheld: i64 = live.iter().map(|lot| self.lots[*lot].remaining - self.lots[*lot].held).sum();
        let is_bonus = nth >= PAYMENTS;
        let mut step = taken - payment.taken;
        if is_bonus && step > 0 {
            // What expired of it is not taken any more.
            step = step.min((payment.granted - payment.expired - payment.taken).max(0));
        }
        if step == 0 && frozen_now == frozen.min(unheld + frozen_now) {
            return Ok((true, 0));
        }
        let before: i64 = self.lots.iter().filter(|lot| lot.owner == payment.owner).map(|lot| lot.remaining).sum();
        for (lot, piece) in std::mem::take(&mut payment.freeze) {
            self.lots[lot].held -= piece;
        }
        if step > 0 {
            let mut order = own;
            order.sort_by_key(|lot| (self.lots[*lot].priority, self.lots[*lot].expiry, *lot));
            let others = self.burn_order(payment.owner).into_iter().filter(|lot| self.lots[*lot].payment != Some(nth));
            let (beside, others): (Vec<_>, Vec<_>) = others.partition(|lot| self.distance(*lot, nth) == 1);
            order.extend(beside.into_iter().chain(others));
            let mut wanted = step;
            for (lot, piece) in self.pieces(&order, wanted) {
                self.lots[lot].remaining -= piece;
                *payment.missing.entry(lot).or_default() += piece;
                wanted -= piece;
            }
            self.debt[payment.owner] += wanted;
        } else if step < 0 {
            self.give_back(nth, &mut payment, -step);
        }
        payment.taken += step;
        let own: Vec<usize> =
            self.burn_order(payment.owner).into_iter().filter(|lot| self.lots[*lot].payment == Some(nth)).collect();
        payment.freeze = self.pieces(&own, frozen);
        for (lot, piece) in &payment.freeze {
            self.lots[*lot].held += piece;
        }
        self.repay(payment.owner);
        let after: i64 = self.lots.iter().filter(|lot| lot.owner == payment.owner).map(|lot| lot.remaining).sum();
        self.payments[nth] = Some(payment);
        Ok((false, after - before))
    }

    /// 0: a lot of this part of a payment, 1: of its other part, 2: of none of them.
    fn distance(&self, lot: usize, nth: usize) -> u8 {
        match self.lots[lot].payment {
            Some(payment) if payment == nth => 0,
            Some(payment) if payment % PAYMENTS == nth % PAYMENTS => 1,
            _ => 2,
        }
    }

    fn give_back(&mut self, nth: usize, payment: &mut Payment, mut back: i64) {
        let repaid = back.min(self.debt[payment.owner]);
        self.debt[payment.owner] -= repaid;
        back -= repaid;
        let mut order: Vec<usize> =
            payment.missing.keys().copied().filter(|lot| self.lots[*lot].expiry != Expiry::Past).collect();
        order.sort_by_key(|lot| {
            let known = &self.lots[*lot];
            (self.distance(*lot, nth), known.priority, known.expiry, *lot)
        });
        for lot in order.into_iter().rev() {
            let piece = back.min(payment.missing[&lot]);
            self.lots[lot].remaining += piece;
            *payment.missing.entry(lot).or_default() -= piece;
            back -= piece;
        }
        if back > 0 {
            let source = if nth >= PAYMENTS { LotSource::Bonus } else { LotSource::Refund };
            let priority = source.priority();
            let lot = Lot {
                owner: payment.owner,
                priority,
                expiry: Expiry::Never,
                remaining: back,
                held: 0,
                payment: Some(nth),
            };
            self.lots.push(lot);
        }
    }
}
