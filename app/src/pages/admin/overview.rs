//! What was sold, credited and used in some time, beside the time before it, and what stands at this moment.

mod charts;
mod numbers;
mod said;
mod standing;

use atlas::Result;
use atlas::figures::overview::{Overview, overview};
use atlas::figures::period::{Compare, Span, Wanted};
use atlas::figures::zone::Zone;
use atlas::people::roles::Support;
use domain::{FieldErrors, paths};
use leptos::prelude::*;
use leptos_meta::Title;
use time::Duration;

use self::charts::{CreditsChart, CreditsTable, FunnelChart, Slowest, StatesChart, TimesChart};
use self::numbers::Numbers;
use self::standing::StandingSection;
use super::{PlacesAndRoles, for_staff};
use crate::flash::{self, Form};
use crate::pages::query;
use crate::parts::days;
use crate::parts::field::ErrorSummary;
use crate::parts::notice::FlashNotice;
use crate::request::Request;

const PERIODS: [(&str, &str); 6] = [
    ("today", "Today"),
    ("7d", "7 days"),
    ("30d", "30 days"),
    ("90d", "90 days"),
    ("12m", "12 months"),
    ("dates", "Between two days"),
];

/// What the address asks for, and what of it doesn't read.
#[derive(Clone)]
struct Asked {
    wanted: Wanted,
    from: String,
    to: String,
    errors: FieldErrors,
}

#[component]
pub fn OverviewPage() -> impl IntoView {
    let (from, to) = (query("from"), query("to"));
    let (wanted, errors) = Wanted::parse(&query("period"), &from, &to, &query("zone"), &query("compare"));
    let asked = Asked { wanted, from, to, errors };
    view! { <Suspense>{Suspend::new(for_staff(move |request, support| draw(request, support, asked)))}</Suspense> }
}

async fn draw(request: Request, support: Support, asked: Asked) -> Result<AnyView> {
    let role = support.person().role();
    let seen = overview(request.ctx(), &support, asked.wanted).await?;
    let flash = flash::take(&request).await?;
    let zone = match asked.wanted.zone {
        Zone::UTC => "in UTC".to_owned(),
        zone => format!("by the clocks of {}", zone.place()),
    };
    let lead = format!("{}, {zone}{}", said::days(seen.period.days), compared_with(&seen));
    let form = Form::new("overview", &[], asked.errors.clone());
    let is_nothing =
        seen.totals.is_nothing() && seen.before.as_ref().is_none_or(atlas::figures::totals::Totals::is_nothing);
    Ok(view! {
        <Title text="Overview · Atlas Credits" />
        <main id="main" class="page">
            <div class="page-head">
                <div>
                    <h1>"Overview"</h1>
                    <p class="page-lead">{lead}</p>
                </div>
            </div>
            <FlashNotice flash />
            <ErrorSummary form=form.clone() />
            <Chooser asked />
            {if is_nothing {
                view! { <Nothing seen=seen.clone() /> }.into_any()
            } else {
                view! { <Figures seen=seen.clone() /> }.into_any()
            }}
            <StandingSection standing=seen.standing />
            <PlacesAndRoles role />
        </main>
    }
    .into_any())
}

/// `; compared with 2 – 31 Oct 2026`.
fn compared_with(seen: &Overview) -> String {
    let Some(before) = seen.period.before else { return String::new() };
    let days = seen.period.days;
    let part = if before.to - before.from < seen.period.whole.to - seen.period.whole.from - Duration::HOUR {
        " up to this time of day"
    } else {
        ""
    };
    match seen.period.wanted.span {
        Span::Days(1) => format!("; compared with the day before{part}"),
        Span::Year => "; compared with the year before, up to this day".to_owned(),
        Span::Days(_) | Span::Between { .. } => {
            let count = (days.to - days.from).whole_days() + 1;
            format!("; compared with the {count} days before{part}")
        }
    }
}

#[component]
fn Chooser(asked: Asked) -> impl IntoView {
    let Wanted { zone, compare, .. } = asked.wanted;
    let period = asked.wanted.period();
    let periods = PERIODS.iter().map(|(value, label)| {
        view! { <option value=*value selected=*value == period>{*label}</option> }
    });
    let zones = Zone::ALL.iter().map(|each| {
        view! { <option value=each.as_str() selected=*each == zone>{each.place()}</option> }
    });
    let day = |name: &'static str, label: &'static str, value: String| {
        let wrong = asked.errors.of(name).map(|_| "true");
        // Browsers complain of what is no day.
        let value = days::typed(&value).map(days::written);
        view! {
            <div class="field filters-day">
                <label for=name>{label}</label>
                <input class="input" r#type="date" id=name name=name value=value aria-invalid=wrong />
            </div>
        }
    };
    view! {
        <form class="filters" method="get" action=paths::ADMIN aria-label="Choose the time to look at">
            <div class="field">
                <label for="period">"Period"</label>
                <select class="input" id="period" name="period">{periods.collect_view()}</select>
            </div>
            {day("from", "First day", asked.from.clone())}
            {day("to", "Last day", asked.to.clone())}
            <div class="field">
                <label for="zone">"Time zone"</label>
                <select class="input" id="zone" name="zone">{zones.collect_view()}</select>
            </div>
            <div class="field">
                <label for="compare">"Compare with"</label>
                <select class="input" id="compare" name="compare">
                    <option value="previous" selected=compare == Compare::Before>"The time before"</option>
                    <option value="nothing" selected=compare == Compare::Nothing>"Nothing"</option>
                </select>
            </div>
            <button class="button" r#type="submit">"Show"</button>
        </form>
    }
}

#[component]
fn Nothing(seen: Overview) -> impl IntoView {
    let outstanding = seen.outstanding.credits;
    view! {
        <div class="empty">
            <h2>"Nothing happened in this time"</h2>
            <p>
                {format!("No checkout, no payment, no use of credits. {outstanding} credits are outstanding. ")}
                <a href=paths::with_query(paths::ADMIN, &[("period", "12m")])>"Show twelve months"</a>
            </p>
        </div>
    }
}

#[component]
fn Figures(seen: Overview) -> impl IntoView {
    let slowest = seen.slowest.clone();
    view! {
        <section aria-labelledby="numbers-title">
            <h2 class="visually-hidden" id="numbers-title">"Six numbers"</h2>
            <Numbers seen=seen.clone() />
        </section>
        <div class="figure-pair">
            <div>
                <FunnelChart seen=seen.clone() />
                <StatesChart seen=seen.clone() />
            </div>
            <TimesChart seen=seen.clone() />
        </div>
        <CreditsChart seen=seen.clone() />
        <div class="figure-pair">
            <CreditsTable seen />
            {(!slowest.is_empty()).then(|| view! { <Slowest slowest /> })}
        </div>
    }
}
