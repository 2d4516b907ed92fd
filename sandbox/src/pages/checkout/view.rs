//! How the checkout looks: what is bought on one side, the card on the other.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::form::CardFields;
use crate::checkouts::{Checkout, purchase_url};
use crate::pages::{layout, missing};
use crate::payments::card::{CHALLENGE_PASSWORD, TEST_CARDS};
use crate::payments::pay::label;
use crate::payments::{Payment, Status};
use crate::plans::{Plan, PlanType};
use crate::world::World;

/// Where a buyer ends up whose seller named no way back.
pub fn done_path(payment: &Payment) -> String {
    format!("/checkout/{}/closed?payment={}", payment.checkout_id, payment.id)
}

/// The page with the form.
pub fn checkout(
    world: &World,
    checkout: &Checkout,
    payment: Option<&Payment>,
    email: &str,
    card: &CardFields,
    status: StatusCode,
) -> Response {
    let Some(plan) = world.plans.get(&checkout.plan_id) else { return missing("This is no longer for sale.") };
    let declined = payment.and_then(|payment| payment.decline.as_ref());
    let title = label(world, plan);
    let body = html! {
        main class="checkout" {
            (summary(world, plan, &title))
            section class="pay" aria-label="Payment" {
                @if let Some(decline) = declined {
                    div class="refusal" role="alert" {
                        strong { "The payment did not go through" }
                        p { (decline.message) " Nothing was charged; you can try again." }
                        p class="code" { (decline.code) }
                    }
                }
                form method="post" action={ "/checkout/" (checkout.id) "/pay" } {
                    @if let Some(payment) = payment { input type="hidden" name="payment" value=(payment.id); }
                    (field("email", "Email", &html! { "for the receipt, optional" }, email, "email", "email", card.email_problem))
                    fieldset {
                        legend { "Card" }
                        (field("number", "Card number", &html! {}, &card.number, "text", "cc-number", card.number_problem))
                        div class="pair" {
                            (field("expiry", "Expiry", &html! {}, &card.expiry, "text", "cc-exp", card.expiry_problem))
                            (field("cvc", "CVC", &html! {}, &card.cvc, "text", "cc-csc", card.cvc_problem))
                        }
                    }
                    button class="primary" name="action" value="pay" { "Pay" }
                    button class="outlined" name="action" value="decline" { "Decline" }
                    div class="others" role="group" aria-label="Other ways this can go" {
                        button name="action" value="debit" { "Pay by bank debit" }
                        button name="action" value="twice" { "Pay twice" }
                        button name="action" value="close" { "Close" }
                    }
                }
                (test_cards(&purchase_url(world, checkout)))
            }
        }
    };
    layout::page(status, &format!("Pay {} for {title}", plan.terms.due_at_once()), &html! {}, &body)
}

fn summary(world: &World, plan: &Plan, title: &str) -> Markup {
    let terms = &plan.terms;
    // Dollars are written with a sign that others use, too.
    let currency = (terms.currency().as_str() == "usd").then_some("USD");
    let renewal = match (terms.plan_type, terms.billing_period) {
        (PlanType::Renewal, Some(days)) => format!("then {} every {days} days", terms.renewal_price),
        (PlanType::Renewal, None) => format!("then {} each period", terms.renewal_price),
        (PlanType::OneTime, _) => "One payment. It does not renew.".to_owned(),
    };
    html! {
        section class="summary" aria-label="Your purchase" {
            p class="seller" { (world.settings.company_title) }
            h1 { (title) }
            p class="price" { (terms.due_at_once()) @if let Some(currency) = currency { " " span { (currency) } } }
            p class="soft" { (renewal) }
            @if let Some(description) = &terms.description { p class="soft" { (description) } }
            dl class="total" {
                div { dt { "Tax" } dd { "none in the sandbox" } }
                div class="sum" { dt { "Due today" } dd { (terms.due_at_once()) } }
            }
        }
    }
}

fn field(
    name: &str,
    label: &str,
    hint: &Markup,
    value: &str,
    kind: &str,
    autocomplete: &str,
    problem: Option<&str>,
) -> Markup {
    let numeric = name != "email";
    html! {
        div class="field" {
            label for=(name) { (label) " " span { (hint) } }
            input id=(name) name=(name) type=(kind) value=(value) autocomplete=(autocomplete)
                inputmode=[numeric.then_some("numeric")]
                aria-invalid=[problem.map(|_| "true")]
                aria-describedby=[problem.map(|_| format!("{name}-problem"))];
            @if let Some(problem) = problem { p class="problem" id={ (name) "-problem" } { (problem) } }
        }
    }
}

fn test_cards(url: &str) -> Markup {
    let joint = if url.contains('?') { '&' } else { '?' };
    html! {
        section class="cards" aria-labelledby="cards" {
            h2 id="cards" { "Test cards" }
            p class="soft" { "Any date ahead of today, any three digits. Choose one to fill it in." }
            ul {
                @for card in &TEST_CARDS {
                    li {
                        a href={ (url) (joint) "card=" (card.number.replace(' ', "")) } { (card.number) }
                        span { (card.effect) }
                    }
                }
            }
        }
    }
}

/// The bank's question before it says yes.
pub fn challenge(world: &World, payment: &Payment) -> Response {
    let body = html! {
        main class="note" {
            h1 { "Confirm with your bank" }
            p { "Your bank wants to know that it is you who pays " strong { (payment.total) } " to "
                (world.settings.company_title) "." }
            form method="post" action={ "/checkout/" (payment.checkout_id) "/challenge" } {
                input type="hidden" name="payment" value=(payment.id);
                (field("password", "Password", &html! { "it is " code { (CHALLENGE_PASSWORD) } }, "", "password", "off", None))
                button class="primary" { "Confirm" }
                p class="soft" { "Any other password is refused, and the payment fails." }
            }
        }
    };
    layout::page(StatusCode::OK, "Confirm with your bank", &html! {}, &body)
}

/// The end of a visit that does not lead back to the seller.
pub fn closed(world: &World, checkout: &Checkout, payment: Option<&Payment>) -> Response {
    let payment = payment.filter(|payment| payment.checkout_id == checkout.id);
    let (title, text) = match payment.map(|payment| payment.status) {
        Some(Status::Paid) => ("Paid", "The payment went through. You can close this page."),
        Some(Status::Pending) => ("Payment under way", "Your bank will take some time. You can close this page."),
        _ => ("Checkout closed", "Nothing was charged. You can close this page, or open the checkout again."),
    };
    let body = html! {
        main class="note" {
            h1 { (title) }
            p { (text) }
            p { a href=(purchase_url(world, checkout)) { "Open the checkout again" } }
            @if payment.is_none() && checkout.redirect_url.is_some() {
                p class="soft" { "Like Whop's own page, a closed checkout does not lead back to the seller." }
            }
        }
    };
    layout::page(StatusCode::OK, title, &html! {}, &body)
}
