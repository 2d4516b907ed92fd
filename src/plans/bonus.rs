//! Bonus credits: what a plan gives beside the credits that it sells. They come with the payment, and go with the money.

use domain::Credits;

/// What is given on top, in one version of a plan or in one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bonus {
    /// More than zero.
    pub credits: Credits,
    /// Days from the arrival of the bonus to its end, 1 to 3650; none: it ends when the plan's credits do.
    pub expires_after_days: Option<i32>,
}

impl Bonus {
    /// As it is stored: no credits are no bonus.
    pub fn stored(credits: Credits, expires_after_days: Option<i32>) -> Option<Self> {
        (credits > Credits::ZERO).then_some(Self { credits, expires_after_days })
    }

    /// Days from its arrival to its end, beside credits that end after `plan` days.
    pub fn ends_after_days(self, plan: Option<i32>) -> Option<i32> {
        self.expires_after_days.or(plan)
    }
}

/// Both columns of a bonus: no credits where there is none.
pub fn columns(bonus: Option<Bonus>) -> (Credits, Option<i32>) {
    bonus.map_or((Credits::ZERO, None), |bonus| (bonus.credits, bonus.expires_after_days))
}
