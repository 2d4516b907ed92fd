//! How the desk looks.

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use crate::checkouts::purchase_url;
use crate::pages::layout;
use crate::payments::pay::label;
use crate::payments::view::method_name;
use crate::payments::{Payment, Status};
use crate::webhooks::{Attempt, Cause, Message};
use crate::world::World;

/// Rows of each kind that are shown.
const ROWS: usize = 25;
/// How far back the attempts of a message are looked for.
const ATTEMPTS_SEARCHED: usize = 2_000;
/// Seconds between refreshes.
const REFRESH: &str = "4";

pub fn desk(world: &World, live: bool, refused: Option<&str>) -> Response {
    let head = html! { @if live { meta http-equiv="refresh" content=(REFRESH); } };
    let body = html! {
        main class="desk" {
            header {
                div {
                    h1 { "What happened" }
                    p class="soft" { "A local Whop for " code { (world.settings.company_id) } ". Newest first." }
                }
                p {
                    @if live { "Refreshes every " (REFRESH) " s. " a href="/?refresh=off" { "Hold still" } }
                    @else { a href="/" { "Refresh by itself" } " · " a href="/?refresh=off" { "Refresh now" } }
                }
            }
            @if let Some(why) = refused { p class="refusal" role="alert" { (why) } }
            (faults(world))
            (payments(world))
            (checkouts(world))
            (messages(world))
            (endpoints(world))
        }
    };
    layout::page(StatusCode::OK, "What happened", &head, &body)
}

/// Only what differs from good behaviour.
fn faults(world: &World) -> Markup {
    let now = serde_json::to_value(&world.faults).unwrap_or_default();
    let usual = serde_json::to_value(crate::faults::Faults::default()).unwrap_or_default();
    let set: Vec<(&String, &Value)> =
        now.as_object().into_iter().flatten().filter(|(name, value)| usual.get(name.as_str()) != Some(value)).collect();
    html! {
        @if !set.is_empty() {
            section class="faults" aria-label="Faults" {
                strong { "Misbehaving on request: " }
                @for (name, value) in set { code { (name) " " (value) } " " }
            }
        }
    }
}

fn payments(world: &World) -> Markup {
    html! {
        section {
            h2 { "Payments" }
            @if world.payments.is_empty() { p class="empty" { "Nobody has paid yet. Open a checkout below." } }
            @else {
                table {
                    thead { tr { th { "When" } th { "Payment" } th { "For" } th { "Means" } th class="number" { "Amount" }
                        th { "State" } th { "Make happen" } } }
                    tbody { @for payment in world.payments.newest().take(ROWS) { (payment_row(world, payment)) } }
                }
            }
        }
    }
}

fn payment_row(world: &World, payment: &Payment) -> Markup {
    let email = world.people.get(&payment.person_id).and_then(|person| person.email.clone());
    html! {
        tr {
            td data-label="When" { (payment.created_at.time_of_day()) }
            td data-label="Payment" { code { (payment.id) } @if let Some(email) = email { br; span class="soft" { (email) } } }
            td data-label="For" { (payment.label) }
            td data-label="Means" { @if let Some(means) = &payment.means { (method_name(means)) } }
            td data-label="Amount" class="number" {
                (payment.total)
                @if payment.refunded_minor > 0 {
                    br; span class="soft" { "−" (crate::money::Amount::new(payment.refunded_minor, payment.total.currency)) }
                }
            }
            td data-label="State" {
                (badge(payment))
                @if let Some(decline) = &payment.decline { br; span class="soft" { (decline.code) } }
            }
            td data-label="Make happen" class="verbs" { (verbs(payment)) }
        }
    }
}

fn verbs(payment: &Payment) -> Markup {
    let to = |verb: &str| format!("/desk/{verb}/{}", payment.id);
    html! {
        @if payment.is_refundable() {
            form method="post" action=(to("refund")) {
                input name="amount" inputmode="decimal" placeholder="all" aria-label="Amount to refund" size="5";
                button { "Refund" }
            }
            form method="post" action=(to("dispute")) { button name="status" value="needs_response" { "Dispute" } }
        }
        @if payment.is_disputed() {
            form method="post" action=(to("dispute")) {
                button name="status" value="won" { "Seller wins" }
                button name="status" value="lost" { "Seller loses" }
            }
        }
        @if payment.status == Status::Pending {
            form method="post" action=(to("settle")) {
                button name="succeeded" value="true" { "Settle" }
                button name="succeeded" value="false" { "Fail" }
            }
        }
    }
}

fn badge(payment: &Payment) -> Markup {
    let word = |value: Value| value.as_str().unwrap_or_default().replace('_', " ");
    let substatus = word(serde_json::to_value(payment.substatus).unwrap_or_default());
    let tone = match payment.status {
        Status::Paid if payment.is_disputed() => "wait",
        Status::Paid => "good",
        Status::Pending => "wait",
        Status::Open if payment.decline.is_some() => "bad",
        Status::Open => "plain",
    };
    html! { span class={ "badge " (tone) } { (substatus) } }
}

fn checkouts(world: &World) -> Markup {
    html! {
        section {
            h2 { "Checkouts" }
            @if world.checkouts.is_empty() { p class="empty" { "No checkout has been created yet." } }
            @else {
                table {
                    thead { tr { th { "When" } th { "Checkout" } th { "For" } th class="number" { "Price" } th { "Metadata" } } }
                    tbody {
                        @for checkout in world.checkouts.newest().take(ROWS) {
                            @let plan = world.plans.get_any(&checkout.plan_id);
                            tr {
                                td data-label="When" { (checkout.created_at.time_of_day()) }
                                td data-label="Checkout" { a href=(purchase_url(world, checkout)) { code { (checkout.id) } } }
                                td data-label="For" { @if let Some(plan) = plan { (label(world, plan)) } }
                                td data-label="Price" class="number" { @if let Some(plan) = plan { (plan.terms.due_at_once()) } }
                                td data-label="Metadata" class="soft" {
                                    @for (key, value) in &checkout.metadata {
                                        (key) "=" (value.as_str().map_or_else(|| value.to_string(), str::to_owned)) " "
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn messages(world: &World) -> Markup {
    html! {
        section {
            h2 { "Webhooks" }
            @if world.messages.is_empty() { p class="empty" { "No webhook has been sent yet." } }
            @else {
                table {
                    thead { tr { th { "When" } th { "Event" } th { "Message" } th { "Attempts" } th { "Make happen" } } }
                    tbody { @for message in world.messages.newest().take(ROWS) { (message_row(world, message)) } }
                }
            }
        }
    }
}

fn message_row(world: &World, message: &Message) -> Markup {
    let attempts: Vec<&Attempt> =
        world.attempts.newest().take(ATTEMPTS_SEARCHED).filter(|it| it.message_id == message.id).take(6).collect();
    html! {
        tr {
            td data-label="When" { (message.created_at.time_of_day()) }
            td data-label="Event" { (message.event) @if let Some(id) = &message.payment_id { br; code class="soft" { (id) } } }
            td data-label="Message" { code { (message.id) } }
            td data-label="Attempts" {
                @if attempts.is_empty() { span class="badge plain" { @if message.done { "not sent" } @else { "on its way" } } }
                @for attempt in &attempts { (attempt_line(attempt)) }
            }
            td data-label="Make happen" class="verbs" {
                form method="post" action={ "/desk/redeliver/" (message.id) } { button { "Redeliver" } }
            }
        }
    }
}

fn attempt_line(attempt: &Attempt) -> Markup {
    let cause = match attempt.cause {
        Cause::Scheduled => "",
        Cause::Duplicate => "copy",
        Cause::Redelivery => "again",
        Cause::Lost => "lost",
    };
    html! {
        div class="attempt" {
            span class={ "badge " (if attempt.success { "good" } else { "bad" }) } {
                (attempt.status_code.map_or_else(|| "none".to_owned(), |status| status.to_string()))
            }
            span class="soft" {
                (attempt.sent_at.time_of_day()) " · " (attempt.duration_ms) " ms " (cause)
                @if !attempt.success { " · " (attempt.answer.chars().take(80).collect::<String>()) }
                @if let Some(next) = attempt.next_attempt_at { " · next " (next.time_of_day()) }
            }
        }
    }
}

fn endpoints(world: &World) -> Markup {
    html! {
        section {
            h2 { "Endpoints" }
            @if world.endpoints.is_empty() { p class="empty" { "Nobody listens yet. Create a webhook to receive events." } }
            @else {
                table {
                    thead { tr { th { "Endpoint" } th { "Address" } th { "State" } th class="number" { "Failures in a row" } } }
                    tbody {
                        @for endpoint in world.endpoints.newest().take(ROWS) {
                            tr {
                                td data-label="Endpoint" { code { (endpoint.id) } }
                                td data-label="Address" { (endpoint.url) }
                                td data-label="State" {
                                    @if endpoint.enabled { span class="badge good" { "listening" } }
                                    @else { span class="badge bad" { "switched off" } }
                                }
                                td data-label="Failures in a row" class="number" { (endpoint.consecutive_failures) }
                            }
                        }
                    }
                }
            }
        }
    }
}
