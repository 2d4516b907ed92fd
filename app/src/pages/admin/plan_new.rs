//! A new plan, and the fields that it has in common with one that is edited.

pub mod other_prices;

use atlas::Result;
use atlas::orders::FormKey;
use atlas::people::roles::Admin;
use atlas::plans::Terms;
use domain::{Credits, PlanVisibility, Price, paths};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;

use self::other_prices::OtherPrices;
use super::for_admin;
use crate::actions::admin::plans::{CreatePlan, NEW_FORM};
use crate::flash::{self, Form, form_of};
use crate::parts::field::{ErrorSummary, SelectField, TextField};
use crate::parts::notice::FlashNotice;
use crate::request::Request;
use crate::words;

#[component]
pub fn NewPlan() -> impl IntoView {
    view! { <Suspense>{Suspend::new(for_admin(draw))}</Suspense> }
}

async fn draw(request: Request, _: Admin) -> Result<AnyView> {
    let flash = flash::take(&request).await?;
    let form = form_of(flash.as_ref(), NEW_FORM);
    Ok(view! {
        <Title text="New plan · Atlas Credits" />
        <main id="main" class="page page--reading">
            <div class="page-head">
                <div>
                    <h1>"New plan"</h1>
                    <p class="page-lead">"It begins off sale, so that you can look at it first."</p>
                </div>
            </div>
            <FlashNotice flash />
            <ErrorSummary form=form.clone() />
            <form class="form" method="post" action=CreatePlan::PATH>
                <input r#type="hidden" name="key" value=FormKey::fresh().as_str().to_owned() />
                <TermsFields form terms=None />
                <div class="form-foot">
                    <button class="button button--primary" r#type="submit">"Make the plan"</button>
                    <a href=paths::ADMIN_PLANS>"Back to the plans"</a>
                </div>
            </form>
        </main>
    }
    .into_any())
}

/// What a plan says. `terms`: as they stand; none for a new plan.
#[component]
pub fn TermsFields(form: Form, terms: Option<Terms>) -> impl IntoView {
    let at = |text: fn(&Terms) -> String| terms.as_ref().map(text);
    let sold = match terms.as_ref().map(|terms| terms.price) {
        Some(Price::ByAgreement) => "agreement",
        Some(Price::Fixed(_)) | None => "once",
    };
    let visibility = terms.as_ref().map_or(PlanVisibility::Listed, |terms| terms.visibility);
    let seen_by = PlanVisibility::ALL.iter().map(|each| (each.as_str(), words::plan_visibility(*each))).collect();
    view! {
        <TextField form=form.clone() name="name" label="Name" autocomplete="off"
            initial=at(|terms| terms.name.clone()).unwrap_or_default() help="At most 80 characters. Whop shows the first 30." />
        <TextField form=form.clone() name="description" label="Description (optional)" autocomplete="off" optional=true
            initial=at(|terms| terms.description.clone()).unwrap_or_default() help="A sentence or two below the price." />
        <TextField form=form.clone() name="credits" label="Credits" autocomplete="off"
            initial=at(|terms| terms.credits.to_string()).unwrap_or_default() help="A whole number." />
        <SelectField form=form.clone() name="sold" label="How it is sold" initial=sold
            choices=vec![("once", "At a price, paid once"), ("agreement", "By agreement, on request")] />
        <TextField form=form.clone() name="price" label="Price (empty by agreement)" autocomplete="off" optional=true
            initial=at(typed_price).unwrap_or_default() help="In digits, with a point before the decimals: 7.50." />
        <TextField form=form.clone() name="currency" label="Currency" autocomplete="off" optional=true
            initial=at(typed_currency).unwrap_or_else(|| "USD".to_owned()) help="Three letters: USD, EUR, JPY." />
        <OtherPrices form=form.clone() prices=terms.as_ref().map(|terms| terms.other_prices.clone()).unwrap_or_default() />
        <TextField form=form.clone() name="expires_after_days" label="Credits end after days (optional)" autocomplete="off"
            optional=true initial=at(typed_days).unwrap_or_default() help="Counted from when they arrive. Empty: they never end." />
        <TextField form=form.clone() name="bonus_credits" label="Bonus credits (optional)" autocomplete="off" optional=true
            initial=at(typed_bonus).unwrap_or_default()
            help="Given with the payment, as a lot of their own. A refund takes both back by the same share." />
        <TextField form=form.clone() name="bonus_expires_after_days" label="Bonus ends after days (optional)" autocomplete="off"
            optional=true initial=at(typed_bonus_days).unwrap_or_default() help="Empty: it ends when the credits do." />
        <SelectField form name="visibility" label="Who sees it" initial=visibility.as_str() choices=seen_by />
    }
}

/// As it is typed: `7.50`.
pub fn typed_price(terms: &Terms) -> String {
    match terms.price {
        Price::Fixed(price) => price.to_decimal(),
        Price::ByAgreement => String::new(),
    }
}

pub fn typed_days(terms: &Terms) -> String {
    terms.expires_after_days.map(|days| days.to_string()).unwrap_or_default()
}

/// 0: none.
pub fn bonus_credits(terms: &Terms) -> Credits {
    terms.bonus.map_or(Credits::ZERO, |bonus| bonus.credits)
}

pub fn typed_bonus(terms: &Terms) -> String {
    terms.bonus.map(|bonus| bonus.credits.to_string()).unwrap_or_default()
}

pub fn typed_bonus_days(terms: &Terms) -> String {
    terms.bonus.and_then(|bonus| bonus.expires_after_days).map(|days| days.to_string()).unwrap_or_default()
}

pub fn typed_currency(terms: &Terms) -> String {
    match terms.price {
        Price::Fixed(price) => price.currency.code(),
        Price::ByAgreement => "USD".to_owned(),
    }
}
