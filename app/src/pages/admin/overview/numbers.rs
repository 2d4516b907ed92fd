//! The six numbers that come first, each with what it was before.

use atlas::figures::overview::Overview;
use atlas::figures::totals::{Totals, thousandths};
use domain::Money;
use leptos::prelude::*;

use super::said;

/// What it takes somebody to look at a request and approve it.
pub const MINUTES_PER_APPROVAL: i64 = 4;

struct Number {
    name: &'static str,
    value: String,
    /// Beside it, smaller.
    more: String,
    /// How it changed, and what it was.
    change: Option<String>,
}

#[component]
pub fn Numbers(seen: Overview) -> impl IntoView {
    let numbers = [
        money("Revenue", Totals::revenue, &seen, "paid for credits, without tax"),
        money("Refunds", Totals::refunded, &seen, &refunds(&seen.totals)),
        conversion(&seen),
        waiting(&seen),
        saved(&seen),
        outstanding(&seen),
    ];
    let drawn = numbers.into_iter().map(|number| {
        view! {
            <div>
                <dt>{number.name}</dt>
                <dd class="figures-value">{number.value}</dd>
                <dd>{number.more}</dd>
                {number.change.map(|change| view! { <dd class="figures-change">{change}</dd> })}
            </div>
        }
    });
    view! { <dl class="figures">{drawn.collect_view()}</dl> }
}

/// `+12 %, was $5.00`.
fn against(change: Option<String>, was: &str) -> String {
    match change {
        Some(change) if change == "as before" => change,
        Some(change) => format!("{change}, was {was}"),
        None => format!("was {was}"),
    }
}

fn money(name: &'static str, of: impl Fn(&Totals) -> Vec<Money>, seen: &Overview, what: &str) -> Number {
    let (first, others) = said::leading(&of(&seen.totals));
    let before = seen.before.as_ref().map(|before| {
        let was = of(before).into_iter().find(|amount| amount.currency == first.currency);
        was.unwrap_or(Money::new(0, first.currency))
    });
    let others: Vec<String> = others.iter().map(Money::to_string).collect();
    Number {
        name,
        value: first.to_string(),
        more: if others.is_empty() { what.to_owned() } else { format!("and {}; {what}", others.join(", ")) },
        change: before.map(|before| against(said::change(first.minor, before.minor), &before.to_string())),
    }
}

fn refunds(totals: &Totals) -> String {
    let refunds = said::counted(totals.refunds(), "refund", "refunds");
    let lost: Vec<String> =
        totals.lost_to_disputes().iter().filter(|amount| amount.minor > 0).map(Money::to_string).collect();
    if lost.is_empty() { refunds } else { format!("{refunds}; and {} lost in disputes", lost.join(", ")) }
}

fn conversion(seen: &Overview) -> Number {
    let rate = |totals: &Totals| thousandths(totals.funnel().paid, totals.funnel().started);
    let funnel = seen.totals.funnel();
    Number {
        name: "Checkouts paid",
        value: said::percent_or_none(rate(&seen.totals)),
        more: format!("{} of {} started", said::count(funnel.paid), said::count(funnel.started)),
        change: seen.before.as_ref().map(|before| {
            against(said::points(rate(&seen.totals), rate(before)), &said::percent_or_none(rate(before)))
        }),
    }
}

fn waiting(seen: &Overview) -> Number {
    let half = |totals: &Totals| totals.time_to_credit().percentile(50);
    let said = |totals: &Totals| half(totals).map_or_else(|| "–".to_owned(), said::duration);
    let times = seen.totals.time_to_credit();
    Number {
        name: "Paid to credited",
        value: said(&seen.totals),
        more: match times.percentile(95) {
            Some(most) => format!("half of them; 95 of 100 within {}", said::duration(most)),
            None => "no payment was credited".to_owned(),
        },
        change: seen.before.as_ref().map(|before| {
            let ms = |totals| half(totals).map(|half| i64::try_from(half.whole_milliseconds()).unwrap_or(i64::MAX));
            let change = ms(&seen.totals).zip(ms(before)).and_then(|(now, before)| said::change(now, before));
            against(change, &said(before))
        }),
    }
}

fn saved(seen: &Overview) -> Number {
    let avoided = |totals: &Totals| totals.sold().1;
    let minutes = avoided(&seen.totals).saturating_mul(MINUTES_PER_APPROVAL);
    let value =
        if minutes < 600 { format!("{minutes}\u{a0}min") } else { format!("{}\u{a0}h", said::count(minutes / 60)) };
    Number {
        name: "Work saved",
        value,
        more: format!(
            "{}, {MINUTES_PER_APPROVAL}\u{a0}min each",
            said::counted(avoided(&seen.totals), "approval avoided", "approvals avoided")
        ),
        change: seen
            .before
            .as_ref()
            .map(|before| against(said::change(avoided(&seen.totals), avoided(before)), &said::count(avoided(before)))),
    }
}

fn outstanding(seen: &Overview) -> Number {
    let owed = seen.outstanding.owed;
    Number {
        name: "Credits outstanding",
        value: seen.outstanding.credits.to_string(),
        more: if owed.get() > 0 {
            format!("what people can still spend; they owe {owed} more")
        } else {
            "what people can still spend".to_owned()
        },
        change: seen.outstanding_before.map(|before| {
            against(said::change(seen.outstanding.credits.get(), before.credits.get()), &before.credits.to_string())
        }),
    }
}
