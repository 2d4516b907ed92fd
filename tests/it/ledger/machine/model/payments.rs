//! Taking back and giving back, told plainly.

use atlas::Refusal;
use domain::ledger::LotSource;

use super::{Lot, Model, Payment};
use crate::ledger::machine::steps::Expiry;

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
        if taken == payment.taken && frozen_now == frozen.min(unheld + frozen_now) {
            return Ok((true, 0));
        }
        let before: i64 = self.lots.iter().filter(|lot| lot.owner == payment.owner).map(|lot| lot.remaining).sum();
        for (lot, piece) in std::mem::take(&mut payment.freeze) {
            self.lots[lot].held -= piece;
        }
        if taken > payment.taken {
            let mut order = own;
            order.sort_by_key(|lot| (self.lots[*lot].priority, self.lots[*lot].expiry, *lot));
            order.extend(self.burn_order(payment.owner).into_iter().filter(|lot| self.lots[*lot].payment != Some(nth)));
            let mut wanted = taken - payment.taken;
            for (lot, piece) in self.pieces(&order, wanted) {
                self.lots[lot].remaining -= piece;
                *payment.missing.entry(lot).or_default() += piece;
                wanted -= piece;
            }
            self.debt[payment.owner] += wanted;
        } else {
            self.give_back(nth, &mut payment, taken);
        }
        payment.taken = taken;
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

    fn give_back(&mut self, nth: usize, payment: &mut Payment, taken: i64) {
        let mut back = payment.taken - taken;
        let repaid = back.min(self.debt[payment.owner]);
        self.debt[payment.owner] -= repaid;
        back -= repaid;
        let mut order: Vec<usize> =
            payment.missing.keys().copied().filter(|lot| self.lots[*lot].expiry != Expiry::Past).collect();
        order.sort_by_key(|lot| {
            let known = &self.lots[*lot];
            (known.payment != Some(nth), known.priority, known.expiry, *lot)
        });
        for lot in order.into_iter().rev() {
            let piece = back.min(payment.missing[&lot]);
            self.lots[lot].remaining += piece;
            *payment.missing.entry(lot).or_default() -= piece;
            back -= piece;
        }
        if back > 0 {
            let priority = LotSource::Refund.priority();
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
