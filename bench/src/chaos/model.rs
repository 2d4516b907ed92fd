//! What a payment has to have done to its buyer's credits, as plain as it can be said, and written apart from the
//! program's own rule.

use super::world::{Order, Payment, Standing};

/// The end that a payment has to come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Granted, once; 0: not at all.
    pub granted: i64,
    /// Of these, taken back (net of what was given back again).
    pub taken: i64,
    /// The bonus that came with it, and what was taken back of that.
    pub bonus: i64,
    pub bonus_taken: i64,
    /// Whether what is left unspent may be held.
    pub may_be_held: bool,
}

/// The provider's own knowledge in, the ledger's due state out. None: the provider has no such payment.
pub fn outcome(payment: Option<&Payment>, order: &Order, company: &str) -> Outcome {
    let nothing = Outcome { granted: 0, taken: 0, bonus: 0, bonus_taken: 0, may_be_held: false };
    let Some(payment) = payment else { return nothing };
    let fits = payment.account == company
        && payment.checkout == order.checkout
        && (payment.minor, payment.currency) == (order.price_minor, order.currency);
    if payment.standing != Standing::Paid || !fits {
        return nothing;
    }
    let back = (payment.refunded() + payment.lost()).min(payment.minor);
    let share = |credits: i64| {
        let share = i128::from(credits) * i128::from(back) / i128::from(payment.minor);
        i64::try_from(share).unwrap_or(i64::MAX)
    };
    Outcome {
        granted: order.credits,
        taken: share(order.credits),
        bonus: order.bonus,
        bonus_taken: share(order.bonus),
        may_be_held: payment.is_contested(),
    }
}

#[cfg(test)]
mod tests {
    use sqlx::types::Uuid;

    use super::*;
    use crate::chaos::world::{Dispute, DisputeStanding, Refund, RefundStanding};

    fn order() -> Order {
        Order {
            id: Uuid::nil(),
            buyer: Uuid::nil(),
            credits: 1_000,
            bonus: 100,
            price_minor: 300,
            currency: "usd",
            checkout: "ch_1".to_owned(),
            plan: "plan_1".to_owned(),
        }
    }

    fn payment(refunds: &[(i64, RefundStanding)], dispute: Option<DisputeStanding>) -> Payment {
        let refunds = refunds.iter().map(|(minor, standing)| Refund {
            id: String::new(),
            minor: *minor,
            standing: *standing,
            is_legacy: false,
        });
        let dispute = dispute.map(|standing| Dispute { id: String::new(), minor: 300, standing });
        Payment {
            id: "pay_1".to_owned(),
            order: 0,
            minor: 300,
            currency: "usd",
            account: "biz_1".to_owned(),
            checkout: "ch_1".to_owned(),
            standing: Standing::Paid,
            refunds: refunds.collect(),
            disputes: dispute.into_iter().collect(),
            is_hostile: false,
            created_at: String::new(),
        }
    }

    fn taken(refunds: &[(i64, RefundStanding)], dispute: Option<DisputeStanding>) -> (i64, bool) {
        let outcome = outcome(Some(&payment(refunds, dispute)), &order(), "biz_1");
        assert_eq!((outcome.granted, outcome.bonus), (1_000, 100));
        assert_eq!(outcome.bonus_taken, outcome.taken / 10);
        (outcome.taken, outcome.may_be_held)
    }

    #[test]
    fn what_goes_back_takes_its_share_rounded_down() {
        use DisputeStanding::{Lost, NeedsResponse, Won};
        use RefundStanding::{Failed, Pending, Succeeded};
        assert_eq!(taken(&[], None), (0, false));
        assert_eq!(taken(&[(100, Succeeded)], None), (333, false));
        assert_eq!(taken(&[(100, Succeeded), (100, Pending)], None), (333, true));
        assert_eq!(taken(&[(100, Succeeded), (100, Failed)], Some(Won)), (333, false));
        assert_eq!(taken(&[(100, Succeeded)], Some(NeedsResponse)), (333, true));
        assert_eq!(taken(&[(100, Succeeded)], Some(Lost)), (1_000, false));
    }

    #[test]
    fn what_does_not_fit_grants_nothing() {
        let granted = |payment: Option<&Payment>, company| outcome(payment, &order(), company).granted;
        let fine = payment(&[], None);
        assert_eq!(granted(Some(&fine), "biz_1"), 1_000);
        assert_eq!(granted(Some(&fine), "biz_2"), 0);
        assert_eq!(granted(None, "biz_1"), 0);
        assert_eq!(granted(Some(&Payment { minor: 299, ..fine.clone() }), "biz_1"), 0);
        assert_eq!(granted(Some(&Payment { currency: "eur", ..fine.clone() }), "biz_1"), 0);
        assert_eq!(granted(Some(&Payment { checkout: "ch_2".to_owned(), ..fine.clone() }), "biz_1"), 0);
        assert_eq!(granted(Some(&Payment { standing: Standing::Open, ..fine }), "biz_1"), 0);
    }
}
