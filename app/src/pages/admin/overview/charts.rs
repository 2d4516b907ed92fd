//! The funnel, the states of orders, the time to credit, and credits sold against used.

use std::fmt::Write as _;

use atlas::figures::overview::{Overview, Slow};
use atlas::figures::times::Times;
use atlas::figures::totals::{Totals, thousandths};
use domain::{Credits, paths};
use leptos::prelude::*;

use super::said;
use crate::parts::bars::{Bar, Bars};
use crate::parts::small::Moment;
use crate::words;

/// The upper ends of the bars of the time to credit, in milliseconds, with their names.
const WITHIN: [(i64, &str); 7] = [
    (2_000, "Within 2 seconds"),
    (5_000, "Within 5 seconds"),
    (15_000, "Within 15 seconds"),
    (60_000, "Within a minute"),
    (600_000, "Within 10 minutes"),
    (3_600_000, "Within an hour"),
    (i64::MAX, "Later"),
];

#[component]
pub fn FunnelChart(seen: Overview) -> impl IntoView {
    let funnel = seen.totals.funnel();
    let rate = |number| thousandths(number, funnel.started);
    let bar = |name: &str, number| Bar {
        name: name.to_owned(),
        said: match rate(number) {
            Some(rate) if number != funnel.started => format!("{}, {}", said::count(number), said::percent(rate)),
            _ => said::count(number),
        },
        length: number,
    };
    let payments = seen.totals.payments();
    let success = thousandths(payments.succeeded, payments.succeeded + payments.failed);
    let message = match rate(funnel.paid) {
        None => "Nobody started a checkout.".to_owned(),
        Some(paid) => {
            let payments = success.map_or_else(String::new, |success| {
                format!(" Of the payments that came to an end, {} succeeded.", said::percent(success))
            });
            format!(
                "Of {}, {} paid.{payments}",
                said::counted(funnel.started, "checkout", "checkouts"),
                said::percent(paid)
            )
        }
    };
    let bars =
        vec![bar("Started", funnel.started), bar("Opened at the provider", funnel.opened), bar("Paid", funnel.paid)];
    view! { <Bars id="funnel" title="From checkout to payment" message bars columns=["Step", "Orders"] /> }
}

#[component]
pub fn StatesChart(seen: Overview) -> impl IntoView {
    let orders = seen.totals.orders();
    let all: i64 = orders.iter().map(|(_, count)| count).sum();
    let message = if all == 0 {
        "Nobody ordered.".to_owned()
    } else {
        format!(
            "{} made in this time, by the state that they are in now.",
            said::counted(all, "order was", "orders were")
        )
    };
    let bars = orders
        .into_iter()
        .map(|(state, count)| Bar {
            name: words::order_state(state).0.to_owned(),
            said: said::count(count),
            length: count,
        })
        .collect();
    view! { <Bars id="states" title="Orders by state" message bars columns=["State", "Orders"] /> }
}

#[component]
pub fn TimesChart(seen: Overview) -> impl IntoView {
    let times = seen.totals.time_to_credit();
    let worst = seen.slowest.first().map(|slow| slow.took);
    let message = match (times.percentile(50), times.percentile(95), worst) {
        (Some(half), Some(most), Some(worst)) => format!(
            "From paid, by the provider’s clock, to credited: half within about {}, 95 of 100 within about {}, the slowest {}.",
            said::duration(half),
            said::duration(most),
            said::duration(worst),
        ),
        _ => "No payment was credited.".to_owned(),
    };
    let bars = if times.count() == 0 { vec![] } else { within(&times) };
    view! { <Bars id="times" title="How soon credits come" message bars columns=["From paid to credited", "Payments"] /> }
}

fn within(times: &Times) -> Vec<Bar> {
    let mut from = 0;
    WITHIN
        .iter()
        .map(|(to, name)| {
            let count = times.between(from, *to);
            from = *to;
            Bar { name: (*name).to_owned(), said: said::count(count), length: count }
        })
        .collect()
}

#[component]
pub fn Slowest(slowest: Vec<Slow>) -> impl IntoView {
    let rows = slowest.into_iter().map(|slow| {
        let order = slow.order.map_or_else(
            || "Without an order".into_any(),
            |order| view! { <a href=paths::admin_order(order)>{order.short()}</a> }.into_any(),
        );
        view! {
            <tr>
                <th scope="row">{order}</th>
                <td class="number">{said::duration(slow.took)}</td>
                <td class="number"><Moment at=slow.granted_at /></td>
            </tr>
        }
    });
    view! {
        <section class="figure" aria-labelledby="slowest-title">
            <h2 id="slowest-title">"The slowest"</h2>
            <table class="table table--dense">
                <thead>
                    <tr>
                        <th scope="col">"Order"</th>
                        <th scope="col" class="number">"Took"</th>
                        <th scope="col" class="number">"Credited"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </section>
    }
}

/// Units of the drawing, stretched to the width that CSS gives it.
const STEP: i64 = 10;
const HEIGHT: i64 = 160;

#[component]
pub fn CreditsChart(seen: Overview) -> impl IntoView {
    let width = seen.period.width;
    let steps: Vec<(String, i64, i64)> = seen
        .steps
        .iter()
        .map(|(step, totals)| (said::step(step.begins, width), totals.sold().0.get(), totals.used().get()))
        .collect();
    let (sold, used) = (seen.totals.sold().0, seen.totals.used());
    let message = match thousandths(used.get(), sold.get()) {
        Some(part) => {
            format!("{sold} credits were sold and {used} were used: {} of what was sold.", said::percent(part))
        }
        None => format!("No credits were sold, and {used} were used."),
    };
    let paths = columns(&steps);
    let all = i64::try_from(steps.len()).unwrap_or(1).max(1) * STEP;
    let label = |step: Option<&(String, i64, i64)>| step.map(|(name, ..)| name.clone()).unwrap_or_default();
    let rows = steps.iter().rev().map(|(name, sold, used)| {
        view! {
            <tr>
                <th scope="row">{name.clone()}</th>
                <td class="number">{said::count(*sold)}</td>
                <td class="number">{said::count(*used)}</td>
            </tr>
        }
    });
    let most = steps.iter().map(|(_, sold, used)| *sold.max(used)).max().unwrap_or_default();
    view! {
        <figure class="figure">
            <h2 id="credits">"Credits sold against used"</h2>
            <p class="chart-key">
                <span class="chart-key-sold">"Sold, upwards"</span><span class="chart-key-used">"Used, downwards"</span>
                <span>{format!("highest {}", said::count(most))}</span>
            </p>
            <svg class="chart-columns" viewBox=format!("0 0 {all} {HEIGHT}") preserveAspectRatio="none" role="img"
                aria-labelledby="credits-title credits-desc">
                <title id="credits-title">"Credits sold against used"</title>
                <desc id="credits-desc">{message.clone()}</desc>
                <path class="chart-sold" d=paths.sold />
                <path class="chart-used" d=paths.used />
                <path class="chart-zero" d=format!("M0 {}H{all}", paths.zero) />
            </svg>
            <p class="chart-axis"><span>{label(steps.first())}</span><span>{label(steps.last())}</span></p>
            <figcaption>{message}</figcaption>
            <details class="disclosure">
                <summary>"As a table"</summary>
                <table class="table">
                    <caption class="visually-hidden">"Credits sold and used, newest first"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"When"</th>
                            <th scope="col" class="number">"Sold"</th>
                            <th scope="col" class="number">"Used"</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </details>
        </figure>
    }
}

struct Columns {
    sold: String,
    used: String,
    /// Where nothing is.
    zero: i64,
}

/// Columns up and down from the zero line, both by one measure.
fn columns(steps: &[(String, i64, i64)]) -> Columns {
    let up = steps.iter().map(|(_, sold, _)| (*sold).max(0)).max().unwrap_or_default();
    let down = steps.iter().map(|(.., used)| (*used).max(0)).max().unwrap_or_default();
    let span = (i128::from(up) + i128::from(down)).max(1);
    let height = |credits: i64| {
        let drawn = i128::from(credits.max(0)) * i128::from(HEIGHT) / span;
        i64::try_from(drawn).unwrap_or(HEIGHT).max(i64::from(credits > 0))
    };
    let zero = if up == 0 && down == 0 { HEIGHT } else { height(up) };
    let (mut sold, mut used) = (String::new(), String::new());
    for ((_, up, down), nth) in steps.iter().zip(0_i64..) {
        let left = nth * STEP + 2;
        if *up > 0 {
            // Writing to a string can’t fail.
            let _ = write!(sold, "M{left} {zero}v-{}h6V{zero}z", height(*up));
        }
        if *down > 0 {
            let _ = write!(used, "M{left} {zero}v{}h6V{zero}z", height(*down));
        }
    }
    Columns { sold, used, zero }
}

/// What came into the wallets and what went out, and what is left.
#[component]
pub fn CreditsTable(seen: Overview) -> impl IntoView {
    let now = &seen.totals;
    let lines: [(&str, &str, Credits, Option<Credits>); 6] = [
        ("Sold", "for payments", now.sold().0, seen.before.as_ref().map(|before| before.sold().0)),
        ("Granted", "without a payment", now.granted(), seen.before.as_ref().map(Totals::granted)),
        ("Used", "by applications", now.used(), seen.before.as_ref().map(Totals::used)),
        ("Expired", "", now.expired(), seen.before.as_ref().map(Totals::expired)),
        ("Taken back", "after refunds and disputes", now.taken_back(), seen.before.as_ref().map(Totals::taken_back)),
        ("Outstanding", "at the end", seen.outstanding.credits, seen.outstanding_before.map(|before| before.credits)),
    ];
    let compared = seen.before.is_some();
    let rows = lines.into_iter().map(|(name, what, credits, before)| {
        view! {
            <tr>
                <th scope="row">{name}" "<span class="muted">{what}</span></th>
                <td class="number">{credits.to_string()}</td>
                {compared.then(|| {
                    let before = before.map_or_else(|| "–".to_owned(), |before| before.to_string());
                    view! { <td class="number muted">{before}</td> }
                })}
            </tr>
        }
    });
    view! {
        <section class="figure" aria-labelledby="movements-title">
            <h2 id="movements-title">"Where credits came from and went"</h2>
            <table class="table table--dense">
                <thead>
                    <tr>
                        <th scope="col">"Credits"</th>
                        <th scope="col" class="number">"This time"</th>
                        {compared.then(|| view! { <th scope="col" class="number">"Before"</th> })}
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_on_one_line_by_one_measure() {
        let drawn = columns(&[("a".into(), 300, 0), ("b".into(), 0, 100)]);
        assert_eq!(
            (drawn.zero, drawn.sold.as_str(), drawn.used.as_str()),
            (120, "M2 120v-120h6V120z", "M12 120v40h6V120z")
        );
        let large = columns(&[("a".into(), i64::MAX, i64::MAX)]);
        assert_eq!((large.zero, large.used.as_str()), (80, "M2 80v80h6V80z"));
        assert_eq!(columns(&[("a".into(), 0, 0)]).zero, HEIGHT);
    }
}
