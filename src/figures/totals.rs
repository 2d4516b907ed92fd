//! What happened in one span of time, as numbers.

use std::collections::BTreeMap;

use domain::{Credits, Money, OrderState, Provider};

use super::times::Times;

/// Every kind that is read of a period (see the column `figures.kind`).
pub(super) const KINDS: [&str; 12] = [
    "order",
    "opened",
    "payment",
    "revenue",
    "refunded",
    "dispute_lost",
    "sold",
    "granted",
    "used",
    "expired",
    "taken_back",
    "credited_in",
];

/// How many, and how much: minor units, or credits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figure {
    pub count: i64,
    pub sum: i64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals(BTreeMap<(String, String), Figure>);

/// How far those came who began a checkout in the span, as they stand now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Funnel {
    pub started: i64,
    pub opened: i64,
    pub paid: i64,
}

/// What became of the payments that were begun in the span. Others are still under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Payments {
    pub succeeded: i64,
    pub failed: i64,
}

/// A part of a whole in thousandths, rounded down. None: of nothing.
pub fn thousandths(part: i64, whole: i64) -> Option<i64> {
    (whole > 0).then(|| i64::try_from(i128::from(part) * 1000 / i128::from(whole)).unwrap_or(i64::MAX))
}

impl Totals {
    pub fn add(&mut self, kind: String, part: String, figure: Figure) {
        let known = self.0.entry((kind, part)).or_default();
        *known = Figure { count: known.count + figure.count, sum: known.sum + figure.sum };
    }

    pub fn is_nothing(&self) -> bool {
        self.0.is_empty()
    }

    fn parts<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, Figure)> {
        self.0.iter().filter(move |((of, _), _)| of == kind).map(|((_, part), figure)| (part.as_str(), *figure))
    }

    fn all(&self, kind: &str) -> Figure {
        self.parts(kind).fold(Figure::default(), |sum, (_, figure)| Figure {
            count: sum.count + figure.count,
            sum: sum.sum + figure.sum,
        })
    }

    fn money(&self, kind: &str) -> Vec<Money> {
        self.parts(kind).filter_map(|(currency, figure)| Some(Money::new(figure.sum, currency.parse().ok()?))).collect()
    }

    /// What was paid for credits, without tax on top, by currency.
    pub fn revenue(&self) -> Vec<Money> {
        self.money("revenue")
    }

    pub fn refunded(&self) -> Vec<Money> {
        self.money("refunded")
    }

    pub fn refunds(&self) -> i64 {
        self.all("refunded").count
    }

    pub fn lost_to_disputes(&self) -> Vec<Money> {
        self.money("dispute_lost")
    }

    /// How many orders that were made in the span are in each state now.
    pub fn orders(&self) -> Vec<(OrderState, i64)> {
        let count = |state: OrderState| self.orders_where(|_, of| of == state.as_str());
        OrderState::ALL.iter().map(|state| (*state, count(*state))).filter(|(_, count)| *count > 0).collect()
    }

    pub fn funnel(&self) -> Funnel {
        let manual = Provider::Manual.as_str();
        Funnel {
            started: self.orders_where(|provider, _| provider != manual),
            opened: self
                .parts("opened")
                .filter(|(provider, _)| *provider != manual)
                .map(|(_, figure)| figure.count)
                .sum(),
            paid: self.orders_where(|provider, state| provider != manual && state == OrderState::Paid.as_str()),
        }
    }

    fn orders_where(&self, fits: impl Fn(&str, &str) -> bool) -> i64 {
        let split = self.parts("order").filter_map(|(part, figure)| Some((part.split_once('/')?, figure.count)));
        split.filter(|((provider, state), _)| fits(provider, state)).map(|(_, count)| count).sum()
    }

    pub fn payments(&self) -> Payments {
        let ended = |ends: &[&str]| {
            let of = |part: &str| part.split_once('/').is_some_and(|(_, state)| ends.contains(&state));
            self.parts("payment").filter(|(part, _)| of(part)).map(|(_, figure)| figure.count).sum()
        };
        Payments { succeeded: ended(&["succeeded"]), failed: ended(&["failed", "canceled"]) }
    }

    /// Credited for a payment, and how often that was. Each time nobody had to approve anything.
    pub fn sold(&self) -> (Credits, i64) {
        let sold = self.all("sold");
        (Credits::new(sold.sum), sold.count)
    }

    /// Given without a payment: approved requests, and gifts.
    pub fn granted(&self) -> Credits {
        self.credits("granted")
    }

    /// Spent by applications, as a positive number; so are the following.
    pub fn used(&self) -> Credits {
        Credits::new(-self.all("used").sum)
    }

    pub fn expired(&self) -> Credits {
        Credits::new(-self.all("expired").sum)
    }

    /// After refunds and lost disputes, less what came back; what was spent already and is owed now is part of it.
    pub fn taken_back(&self) -> Credits {
        Credits::new(-self.all("taken_back").sum)
    }

    fn credits(&self, kind: &str) -> Credits {
        Credits::new(self.all(kind).sum)
    }

    /// From the moment that the provider calls paid to the booking of the credits.
    pub fn time_to_credit(&self) -> Times {
        let mut times = Times::default();
        for (part, figure) in self.parts("credited_in") {
            if let Ok(shortest_ms) = part.parse() {
                times.add(shortest_ms, figure.count);
            }
        }
        times
    }
}
