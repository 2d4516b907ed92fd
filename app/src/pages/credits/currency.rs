//! In which currency the plans are shown: the one that the address names, else the one that this browser chose before, else the
//! first plan's own.

use atlas::plans::Offer;
use atlas::plans::catalogue::currencies;
use domain::{Currency, PlanId, paths};
use leptos::prelude::*;

use crate::request::currency::{chosen, remember};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub currency: Currency,
    choices: Vec<Currency>,
}

/// None: there is nothing to choose. `asked`: as the address says it.
pub fn shown(offers: &[Offer], asked: &str) -> Option<Shown> {
    let choices = currencies(offers);
    let main = choices.first().copied()?;
    let offered = |currency: &Currency| choices.contains(currency);
    let asked = asked.parse().ok().filter(offered);
    if let Some(currency) = asked {
        remember(currency);
    }
    let currency = asked.or_else(|| chosen().filter(offered)).unwrap_or(main);
    Some(Shown { currency, choices })
}

/// Links to the same page in each currency. `wanted`: the plan whose link was followed.
#[component]
pub fn CurrencyChooser(shown: Shown, wanted: Option<PlanId>) -> impl IntoView {
    let plan = wanted.map(|plan| plan.to_string()).unwrap_or_default();
    let links = shown.choices.iter().map(|currency| {
        let query = [("plan", plan.as_str()), ("currency", &currency.code())];
        let address = format!("{}#plans", paths::with_query(paths::CREDITS, &query));
        let current = (*currency == shown.currency).then_some("true");
        view! { <a href=address aria-current=current>{currency.code()}</a> }
    });
    view! { <nav class="currencies" aria-label="Currency">{links.collect_view()}</nav> }
}
