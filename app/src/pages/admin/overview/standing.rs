//! What stands at this moment, whatever time is looked at: breaks, and how it goes with the providers.

use atlas::figures::standing::{Break, Health, Standing};
use domain::{OrderId, paths};
use leptos::prelude::*;

use super::said;
use crate::parts::small::{Badge, Moment};
use crate::words::{self, Tone};

#[component]
pub fn StandingSection(standing: Standing) -> impl IntoView {
    let requests = standing.requests;
    let health: Vec<_> = standing.providers.into_iter().map(|health| view! { <ProviderHealth health /> }).collect();
    view! {
        <div class="figure-pair">
            <section class="figure" aria-labelledby="breaks-title">
                <h2 id="breaks-title">"Do the books agree?"</h2>
                <Breaks breaks=standing.breaks in_all=standing.breaks_in_all />
            </section>
            <section class="figure" aria-labelledby="health-title">
                <h2 id="health-title">"How the providers are"</h2>
                {health}
                <p>
                    {words::requests_wait(requests)}" "
                    {(requests > 0).then(|| view! {
                        <a href=paths::with_query(paths::ADMIN_ORDERS, &[("state", "requested")])>"Answer"</a>
                    })}
                </p>
            </section>
        </div>
    }
}

#[component]
fn Breaks(breaks: Vec<Break>, in_all: i64) -> impl IntoView {
    if breaks.is_empty() {
        return view! {
            <p><Badge words="They agree" tone=Tone::Good />" The providers’ payments, ours and the ledger were compared, and no difference stands."</p>
        }
        .into_any();
    }
    let shown = i64::try_from(breaks.len()).unwrap_or(in_all);
    let more = (in_all > shown).then(|| {
        view! { <p class="muted">{format!("{} more; ", said::count(in_all - shown))}<code>"atlas reconcile"</code>" lists them all."</p> }
    });
    let rows = breaks.into_iter().map(|found| {
        let order: Option<OrderId> = found.subject.parse().ok();
        let payment = found.subject.split_once(':').map(|(_, id)| id.to_owned());
        let href = match (order, payment) {
            (Some(order), _) => paths::admin_order(order),
            (None, payment) => {
                let id = payment.unwrap_or_else(|| found.subject.clone());
                paths::with_query(paths::ADMIN_ORDERS, &[("q", id.as_str())])
            }
        };
        view! {
            <li>
                <a href=href>{found.kind.replace('_', " ")}</a>", since "<Moment at=found.since />": "<bdi>{found.detail}</bdi>
            </li>
        }
    });
    view! {
        <p><Badge words="They don’t" tone=Tone::Bad />" "{said::counted(in_all, "difference stands.", "differences stand.")}</p>
        <ul class="list">{rows.collect_view()}</ul>
        {more}
    }
    .into_any()
}

#[component]
fn ProviderHealth(health: Health) -> impl IntoView {
    let attention = health.quarantined + health.parked;
    let link = |state: &str, number: i64| {
        let href = paths::with_query(paths::ADMIN_EVENTS, &[("state", state)]);
        view! { <a href=href>{said::count(number)}</a> }
    };
    let (said, tone) = match (health.last_webhook, attention) {
        (_, 1..) => ("Needs somebody", Tone::Bad),
        (None, _) => ("Never heard of", Tone::Wait),
        (Some(_), _) => ("All taken in", Tone::Good),
    };
    let last = health.last_webhook.map_or_else(|| "Never".into_any(), |at| view! { <Moment at=at /> }.into_any());
    view! {
        <h3>{health.provider.title()}" "<Badge words=said tone /></h3>
        <dl class="facts facts--end">
            <div><dt>"Last webhook"</dt><dd>{last}</dd></div>
            <div><dt>"Events in quarantine"</dt><dd>{link("quarantined", health.quarantined)}</dd></div>
            <div><dt>"Events parked"</dt><dd>{link("parked", health.parked)}</dd></div>
            <div>
                <dt>"Orders of the last hour that failed"</dt>
                <dd>{said::count(health.failed_lately)}" of "{said::count(health.orders_lately)}</dd>
            </div>
        </dl>
    }
}
