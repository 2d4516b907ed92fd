//! How many of a payment's credits are taken back: in credits, in whole numbers, in all so far rather than per event, so
//! that partial, repeated and reordered refunds end at the same figure.

use domain::Credits;

/// What became of the money of one payment, in the minor unit of what was charged. All amounts are at least zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money {
    /// What the buyer was charged, more than zero.
    pub charged: i64,
    /// Gone for good: refunds that succeeded and disputes that were lost. May exceed the charge.
    pub gone: i128,
    /// May still go: refunds and disputes under way.
    pub at_stake: i128,
}

/// What of a grant is no longer the buyer's to spend.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TakenBack {
    /// Taken back for good, in all.
    pub taken: Credits,
    /// Held as far as it is unspent, until it is decided.
    pub frozen: Credits,
}

/// The share of the granted credits that went with the money: rounded down, so that a part of a cent is the buyer's, and
/// the whole with the whole.
pub fn taken_back(granted: Credits, money: Money) -> TakenBack {
    let share = |minor: i128| {
        let minor = minor.clamp(0, i128::from(money.charged));
        let credits = i128::from(granted.get()) * minor / i128::from(money.charged.max(1));
        Credits::new(i64::try_from(credits).unwrap_or(granted.get()))
    };
    let taken = share(money.gone);
    let touched = share(money.gone.saturating_add(money.at_stake));
    TakenBack { taken, frozen: Credits::new(touched.get() - taken.get()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(granted: i64, charged: i64, gone: i128, at_stake: i128) -> (i64, i64) {
        let taken_back = taken_back(Credits::new(granted), Money { charged, gone, at_stake });
        (taken_back.taken.get(), taken_back.frozen.get())
    }

    #[test]
    fn the_share_goes_with_the_money() {
        assert_eq!(of(5_000, 750, 0, 0), (0, 0));
        assert_eq!(of(5_000, 750, 250, 0), (1_666, 0));
        assert_eq!(of(5_000, 750, 500, 0), (3_333, 0));
        assert_eq!(of(5_000, 750, 750, 0), (5_000, 0));
        assert_eq!(of(5_000, 750, 250, 500), (1_666, 3_334));
        assert_eq!(of(5_000, 750, 0, 750), (0, 5_000));
        assert_eq!(of(5_000, 750, 9_999, 9_999), (5_000, 0), "never more than was given");
        assert_eq!(of(1, 750, 749, 1), (0, 1));
        assert_eq!(of(Credits::MAX.get(), 1_000_000_000_000, i128::MAX, i128::MAX), (Credits::MAX.get(), 0));
    }

    proptest! {
        #[test]
        fn nothing_is_invented_and_more_money_never_takes_less(
            granted in 1..=Credits::MAX.get(), bonus in 0..=Credits::MAX.get(), charged in 1..=1_000_000_000_000_i64,
            gone in 0..=2_000_000_000_000_i128, at_stake in 0..=2_000_000_000_000_i128, more in 0..=1_000_000_i128,
        ) {
            let (taken, frozen) = of(granted, charged, gone, at_stake);
            prop_assert!(taken >= 0 && frozen >= 0 && taken + frozen <= granted);
            // Rounded down, by less than one credit.
            let exact = i128::from(granted) * gone.min(charged.into());
            let drawn = i128::from(taken) * i128::from(charged);
            prop_assert!(drawn <= exact && exact < drawn + i128::from(charged));
            let (taken_then, frozen_then) = of(granted, charged, gone + more, at_stake);
            prop_assert!(taken_then >= taken && taken_then + frozen_then >= taken + frozen);
            // A bonus goes by the same ratio, but for less than a credit of either, and all of it with all of the money.
            let (of_bonus, held_of_bonus) = of(bonus, charged, gone, at_stake);
            let apart = i128::from(taken) * i128::from(bonus) - i128::from(of_bonus) * i128::from(granted);
            prop_assert!(apart >= -i128::from(bonus) && apart <= i128::from(granted));
            prop_assert!(of_bonus + held_of_bonus <= bonus);
            prop_assert_eq!((of(bonus, charged, charged.into(), 0), of(granted, charged, charged.into(), 0)), ((bonus, 0), (granted, 0)));
            // What was under way and comes to pass is taken exactly.
            prop_assert_eq!(of(granted, charged, gone + at_stake, 0), (taken + frozen, 0));
        }
    }
}
