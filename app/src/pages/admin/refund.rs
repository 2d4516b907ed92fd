//! Paying a payment back: how much, what would come of it, and why. What is shown was just gone through and undone, so it is
//! what will happen.

use atlas::orders::FormKey;
use atlas::orders::refund::{Preview, Refundable, preview, refundable};
use atlas::people::roles::Finance;
use atlas::{Error, Result};
use domain::{Credits, OrderId, paths};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;

use super::for_finance;
use crate::actions::admin::refunds::{REFUND_FORM, Refund, read_amount};
use crate::flash::{self, Flash, Form, form_of};
use crate::pages::{param, query};
use crate::parts::field::{ErrorSummary, TextField};
use crate::parts::notice::FlashNotice;
use crate::parts::problem::confirm_first;
use crate::request::Request;
use crate::words;

#[component]
pub fn RefundPayment() -> impl IntoView {
    let (id, payment, amount) = (param("id"), query("payment"), query("amount"));
    let page = for_finance(move |request, finance| draw(request, finance, id, payment, amount));
    view! { <Suspense>{Suspend::new(page)}</Suspense> }
}

async fn draw(request: Request, finance: Finance, id: String, payment: String, amount: String) -> Result<AnyView> {
    let order: OrderId = id.parse().map_err(|_| Error::NotFound)?;
    if request.fresh(finance.person()).await?.is_none() {
        return Ok(confirm_first(&paths::admin_refund(order, &payment, &amount)));
    }
    let flash = flash::take(&request).await?;
    let of = match refundable(request.ctx(), &finance, order, &payment).await {
        Ok(of) => of,
        Err(Error::Refused(why)) => return Ok(nothing_to_refund(order, flash, why.to_string())),
        Err(error) => return Err(error),
    };
    let seen = match read_amount(&amount, of.left) {
        Ok(amount) => preview(request.ctx(), &finance, &of, amount).await,
        Err(error) => Err(error),
    };
    let (seen, errors) = match seen {
        Ok(seen) => (Some(seen), domain::FieldErrors::default()),
        Err(Error::Invalid(errors)) => (None, errors),
        Err(error) => return Err(error),
    };
    let typed = if amount.trim().is_empty() { of.left.to_decimal() } else { amount };
    let amount_form = Form::new("amount", &[("amount", &typed)], errors);
    let form = form_of(flash.as_ref(), REFUND_FORM);
    Ok(view! {
        <Title text="Refund · Atlas Credits" />
        <main id="main" class="page page--reading">
            <div class="page-head">
                <div>
                    <h1>"Refund to "<bdi>{of.buyer_email.clone()}</bdi></h1>
                    <p class="page-lead">{format!("{}, {} paid.", of.plan_name, of.charged)}</p>
                </div>
            </div>
            <FlashNotice flash />
            <ErrorSummary form=amount_form.clone() />
            <ErrorSummary form=form.clone() />
            <AmountForm form=amount_form of=of.clone() />
            {seen.map(|seen| view! { <WhatHappens form of seen /> })}
        </main>
    }
    .into_any())
}

fn nothing_to_refund(order: OrderId, flash: Option<Flash>, why: String) -> AnyView {
    view! {
        <Title text="Refund · Atlas Credits" />
        <main id="main" class="page page--reading">
            <FlashNotice flash />
            <div class="empty">
                <h1>"Nothing to refund"</h1>
                <p>{why}" "<a href=paths::admin_order(order)>"Back to the order"</a></p>
            </div>
        </main>
    }
    .into_any()
}

/// Asking is reading: it may be sent again, and its address passed on.
#[component]
fn AmountForm(form: Form, of: Refundable) -> impl IntoView {
    let most = format!("At most {} can still be paid back.", of.left);
    let value = form.value("amount");
    let error = form.error("amount");
    let (note, class) = match &error {
        Some(error) => (error.clone(), "field-error"),
        None => (most, "field-help"),
    };
    view! {
        <form class="form" method="get" action=format!("{}/refund", paths::admin_order(of.order))>
            <input r#type="hidden" name="payment" value=of.payment_id />
            <div class="field">
                <label for="amount">{format!("Amount in {}", of.left.currency.code())}</label>
                <input class="input" id="amount" name="amount" r#type="text" inputmode="decimal" autocomplete="off" value=value
                    aria-invalid=error.is_some().then_some("true") aria-describedby="amount-note" />
                <p class=class id="amount-note">{note}</p>
            </div>
            <div class="form-foot">
                <button class="button" r#type="submit">"Preview"</button>
                <a href=paths::admin_order(of.order)>"Back to the order"</a>
            </div>
        </form>
    }
}

#[component]
fn WhatHappens(form: Form, of: Refundable, seen: Preview) -> impl IntoView {
    view! {
        <section class="stack" aria-labelledby="preview-title">
            <h2 id="preview-title">"What will happen"</h2>
            <Outcome seen />
            {(seen.debt > Credits::ZERO).then(|| view! {
                <div class="notice" data-tone="wait">
                    <p><bdi>{of.buyer_email.clone()}</bdi>" can spend nothing until the debt is repaid by a purchase, or forgiven."</p>
                </div>
            })}
            {seen.takes_two.then(|| view! {
                <div class="notice" data-tone="wait">
                    <p>"This is more than one person may refund alone. A second admin confirms it first; until then nothing moves."</p>
                </div>
            })}
            <RefundForm form of seen />
        </section>
    }
}

/// What would come of it, at this moment.
#[component]
pub fn Outcome(seen: Preview) -> impl IntoView {
    let credits = |credits: Credits| format!("{credits} credits");
    view! {
        <dl class="facts facts--end" id="preview">
            <div><dt>"Money back"</dt><dd>{seen.money_back.to_string()}</dd></div>
            <div><dt>"Can be paid back later"</dt><dd>{seen.left.to_string()}</dd></div>
            <div><dt>"Credits taken back"</dt><dd>{credits(seen.credits_back)}</dd></div>
            {seen.bonus_back.map(|bonus| view! { <div><dt>"Bonus taken back"</dt><dd>{credits(bonus)}</dd></div> })}
            <div><dt>"Of those, spent already"</dt><dd>{credits(seen.already_spent)}</dd></div>
            <div><dt>"Debt that results"</dt><dd>{credits(seen.debt)}</dd></div>
            <div><dt>"Balance after"</dt><dd>{credits(seen.available)}</dd></div>
        </dl>
    }
}

#[component]
fn RefundForm(form: Form, of: Refundable, seen: Preview) -> impl IntoView {
    let verb = match (seen.takes_two, seen.credits_back) {
        (true, _) => format!("Refund {} once a second admin confirms", seen.money_back),
        (false, Credits::ZERO) => format!("Refund {}", seen.money_back),
        (false, credits) => {
            let credits = words::credits_given(credits, seen.bonus_back.unwrap_or_default());
            format!("Refund {} and take back {credits}", seen.money_back)
        }
    };
    view! {
        <form class="form" method="post" action=Refund::PATH>
            <input r#type="hidden" name="order" value=of.order.to_string() />
            <input r#type="hidden" name="payment" value=of.payment_id />
            <input r#type="hidden" name="amount" value=seen.money_back.to_decimal() />
            <input r#type="hidden" name="key" value=FormKey::fresh().as_str().to_owned() />
            <TextField form name="reason" label="Reason" autocomplete="off" help="Kept with the refund and in the audit." />
            <div class="form-foot">
                <button class="button button--danger" r#type="submit">{verb}</button>
                <a href=paths::admin_order(of.order)>"Cancel"</a>
            </div>
        </form>
    }
}
