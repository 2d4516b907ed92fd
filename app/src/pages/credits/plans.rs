//! The plans, each with its button: to the checkout, or to a request for whoever isn't on one. The plan by agreement is another
//! kind of thing.

use std::sync::Arc;

use atlas::orders::FormKey;
use atlas::plans::{Bonus, Offer};
use domain::{Credits, Currency, Money, Price, Provider};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::actions::buy::{BuyCredits, RequestCredits};
use crate::flash::Form;
use crate::parts::field::ErrorSummary;
use crate::parts::text_area::TextArea;
use crate::words;

/// `currency`: in which it is shown, where there is a choice; a plan that isn't sold in it shows its main price.
#[component]
pub fn PlanSheet(offers: Arc<[Offer]>, currency: Option<Currency>, path: Provider, form: Form) -> impl IntoView {
    if offers.is_empty() {
        return view! {
            <div class="empty"><h3>"No plans are on sale just now"</h3><p>"Please come back a little later."</p></div>
        }
        .into_any();
    }
    let price =
        |offer: &Offer| currency.and_then(|currency| offer.price_in(currency)).or_else(|| offer.prices().next());
    // Only what is in one currency is dearer or cheaper.
    let compared = currency.or_else(|| offers.iter().find_map(price).map(|price| price.currency));
    let rates = || {
        offers
            .iter()
            .filter_map(|offer| per_thousand(offer, price(offer).filter(|price| Some(price.currency) == compared)?))
    };
    let dearest = rates().max_by_key(|rate| rate.minor);
    let best = rates().min_by_key(|rate| rate.minor);
    let cards = offers
        .iter()
        .cloned()
        .map(|offer| {
            // Several forms may ask for a note; only the one that was sent has something to say.
            let form = if form.value("plan") == offer.plan.to_string() { form.clone() } else { Form::default() };
            match price(&offer) {
                Some(price) => {
                    let saving = saving(&offer, price, dearest);
                    let weight = if per_thousand(&offer, price) == best { "button--primary" } else { "" };
                    let not_in = currency.filter(|currency| *currency != price.currency);
                    view! { <PricedCard offer price not_in saving weight path form /> }.into_any()
                }
                None => view! { <RequestCard offer form /> }.into_any(),
            }
        })
        .collect::<Vec<_>>();
    let terms = match path {
        Provider::Manual => view! {
            <p class="plan-terms">
                "A person answers each request, and agrees with you how to pay. Nothing is charged before."
            </p>
        }
        .into_any(),
        Provider::Whop | Provider::Stripe => view! { <PlanTerms /> }.into_any(),
    };
    view! {
        <div class="plan-sheet">{cards}</div>
        {terms}
    }
    .into_any()
}

/// The refund rule, beside the buttons that cost money.
#[component]
pub fn PlanTerms() -> impl IntoView {
    view! {
        <p class="plan-terms">
            "You pay at Whop’s checkout; tax, where there is any, is shown there before you confirm. A refund takes back the credits it paid for."
        </p>
    }
}

#[component]
fn PricedCard(
    offer: Offer,
    price: Money,
    /// The currency that was chosen, where this plan has no price in it.
    not_in: Option<Currency>,
    saving: Option<String>,
    weight: &'static str,
    path: Provider,
    form: Form,
) -> impl IntoView {
    let per_thousand = per_thousand(&offer, price);
    let title = format!("plan-{}", offer.slug);
    let action = match path {
        Provider::Manual => {
            view! { <RequestForm offer=offer.clone() price title=title.clone() weight form /> }.into_any()
        }
        Provider::Whop | Provider::Stripe => {
            view! { <BuyForm offer=offer.clone() price title=title.clone() weight /> }.into_any()
        }
    };
    let card_title = title.clone();
    view! {
        <article class="plan-card" aria-labelledby=card_title>
            <h3 id=title>{offer.name}</h3>
            <PlanCredits credits=offer.credits bonus=offer.bonus />
            <p class="plan-price">
                <span class="plan-money">{price.to_string()}</span>
                {per_thousand.map(|price| format!(" {price} per 1,000"))}
            </p>
            {not_in.map(|wanted| view! { <p class="plan-note">{format!("Not sold in {}.", wanted.code())}</p> })}
            <p class="plan-reason">{saving.map(|saving| view! { <strong>{saving}</strong> " " })}{offer.description}</p>
            {action}
        </article>
    }
}

#[component]
fn BuyForm(offer: Offer, price: Money, title: String, weight: &'static str) -> impl IntoView {
    let end = end(&offer);
    view! {
        <form class="plan-action" method="post" action=BuyCredits::PATH>
            <PlanInputs offer currency=Some(price.currency) />
            <button class=format!("button button--wide {weight}") r#type="submit" aria-describedby=title>"Buy credits"</button>
            <p>{format!("{price} once, {}.", price.currency.code())}{end}</p>
        </form>
    }
}

/// For a plan with a price, whose buyer isn't on a checkout.
#[component]
fn RequestForm(offer: Offer, price: Money, title: String, weight: &'static str, form: Form) -> impl IntoView {
    let (suffix, end) = (format!("-{}", offer.slug), end(&offer));
    let open = !form.errors.is_empty();
    view! {
        <ErrorSummary form=form.clone() suffix=suffix.clone() />
        <form class="plan-action" method="post" action=RequestCredits::PATH>
            <PlanInputs offer currency=Some(price.currency) />
            <details class="disclosure" open=open>
                <summary>"Add a note"</summary>
                <NoteField form suffix />
            </details>
            <button class=format!("button button--wide {weight}") r#type="submit" aria-describedby=title>
                "Request credits"
            </button>
            <p>"A person answers; nothing is charged now."{end}</p>
        </form>
    }
}

/// When what is bought ends, where it does.
fn end(offer: &Offer) -> Option<String> {
    let said = |what: &str, days: i32| format!(" The {what} {}.", words::credits_end(Some(days)).to_lowercase());
    let credits = offer.expires_after_days.map(|days| said("credits end", days));
    let bonus = offer.bonus.and_then(|bonus| bonus.expires_after_days).map(|days| said("bonus credits end", days));
    let ends: String = credits.into_iter().chain(bonus).collect();
    (!ends.is_empty()).then_some(ends)
}

#[component]
fn RequestCard(offer: Offer, form: Form) -> impl IntoView {
    let title = format!("plan-{}", offer.slug);
    let (card_title, button_title) = (title.clone(), title.clone());
    let (open, end) = (!form.errors.is_empty(), end(&offer));
    view! {
        <article class="plan-card" data-kind="request" aria-labelledby=card_title>
            <h3 id=title>{offer.name.clone()}</h3>
            <PlanCredits credits=offer.credits bonus=offer.bonus />
            <p class="plan-price"><span class="plan-money">"By agreement"</span></p>
            <p class="plan-reason">{offer.description.clone()}</p>
            <details class="disclosure" open=open>
                <summary>"Ask for an offer"</summary>
                <ErrorSummary form=form.clone() />
                <form class="form plan-action" method="post" action=RequestCredits::PATH>
                    <PlanInputs offer currency=None />
                    <NoteField form suffix=String::new() />
                    <button class="button button--wide" r#type="submit" aria-describedby=button_title>"Request credits"</button>
                    <p>"A person answers; nothing is charged now."{end}</p>
                </form>
            </details>
        </article>
    }
}

/// What the form says: which plan, in which currency, and a key by which the same form is one order. Nothing else of it is believed.
#[component]
fn PlanInputs(offer: Offer, currency: Option<Currency>) -> impl IntoView {
    view! {
        <input r#type="hidden" name="plan" value=offer.plan.to_string() />
        {currency.map(|currency| view! { <input r#type="hidden" name="currency" value=currency.code() /> })}
        <input r#type="hidden" name="key" value=FormKey::fresh().as_str().to_owned() />
    }
}

#[component]
fn NoteField(form: Form, suffix: String) -> impl IntoView {
    view! {
        <TextArea form suffix name="note" label="Note (optional)"
            help="How to bill you, when you need them, anything else." />
    }
}

/// What a plan brings: the credits that are paid for, and what is given beside them.
#[component]
pub fn PlanCredits(credits: Credits, bonus: Option<Bonus>) -> impl IntoView {
    view! {
        <p class="plan-credits">
            <span class="plan-number">{credits.to_string()}</span>" credits"
            {bonus.map(|bonus| view! { <span class="plan-bonus">{format!("+ {} bonus credits", bonus.credits)}</span> })}
        </p>
    }
}

fn per_thousand(offer: &Offer, price: Money) -> Option<Money> {
    Price::Fixed(price).per_thousand(offer.credits)
}

/// What is better about a plan than the dearest one per credit, in words.
fn saving(offer: &Offer, price: Money, dearest: Option<Money>) -> Option<String> {
    let (price, dearest) = per_thousand(offer, price).zip(dearest)?;
    let comparable = price.currency == dearest.currency && dearest.minor > 0;
    let percent = comparable.then(|| (dearest.minor - price.minor) * 100 / dearest.minor)?;
    (percent > 0).then(|| format!("{percent} % cheaper per credit."))
}

/// In place of the plans, while an operator lets nobody pay.
#[component]
pub fn Stopped(message: String) -> impl IntoView {
    view! {
        <div class="notice" data-tone="wait" id="payments-stopped">
            <p>
                <strong>"Buying is stopped just now. "</strong><bdi>{message}</bdi>
                " Your credits can be spent as ever, and what you paid already arrives."
            </p>
        </div>
    }
}
