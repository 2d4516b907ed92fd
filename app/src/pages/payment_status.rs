//! How one order stands: every state has its own words, one next step, and its place on the line of three steps.

mod story;

use std::time::Duration;

use atlas::orders::page::{OrderPage, Reversal, load};
use atlas::orders::settle::ask::ask;
use atlas::people::Owner;
use atlas::{Error, Result};
use domain::{Credits, OrderId, OrderState, paths};
use islands::order_watch::OrderWatch;
use leptos::prelude::*;
use leptos_meta::Title;

use self::story::{Action, Progress, Story, tell};
use crate::flash;
use crate::pages::{for_owner, query};
use crate::parts::notice::FlashNotice;
use crate::parts::small::{CopyableId, Icon, Moment};
use crate::request::Request;
use crate::words::{self, Tone};

/// A page must not wait longer than this for the provider; the answer arrives later all the same.
const ASK_PATIENCE: Duration = Duration::from_millis(1_500);
/// Without scripts the page refreshes itself, this often and at most this many times.
const REFRESH_SECONDS: u32 = 4;
const REFRESHES_MAX: u32 = 30;

/// What the address says. Nothing of it proves anything.
struct Address {
    order: String,
    /// A payment id that the provider put there on the way back: a place to look.
    payment: String,
    /// How the checkout ended, in the provider's words.
    outcome: String,
    refreshes: u32,
}

#[component]
pub fn PaymentStatus() -> impl IntoView {
    let address = Address {
        order: query("order"),
        payment: [query("payment_id"), query("payment")].into_iter().find(|id| !id.is_empty()).unwrap_or_default(),
        outcome: query("status"),
        refreshes: query("refreshed").parse().unwrap_or(0),
    };
    let back_to = format!("{}?order={}", paths::PAYMENT_STATUS, address.order);
    let page = async move { for_owner(&back_to, |request, person| draw(request, person, address)).await };
    view! { <Suspense>{Suspend::new(page)}</Suspense> }
}

async fn draw(request: Request, person: Owner, address: Address) -> Result<AnyView> {
    let id: OrderId = address.order.parse().map_err(|_| Error::NotFound)?;
    let db = &request.ctx().db;
    let mut order = load(db, &person, id).await?;
    let came_back = !address.payment.is_empty() && !matches!(address.outcome.as_str(), "failed" | "canceled" | "error");
    // Asking books what the answer says. That is the buyer's to set off, and nobody's who looks over their shoulder.
    let looks_on = request.viewing().is_some();
    if !looks_on && order.state != OrderState::Created && order.state.may_still_be_paid() {
        ask_briefly(&request, id, &address.payment).await;
        order = load(db, &person, id).await?;
    }
    let flash = flash::take(&request).await?;
    let watched = order.state.may_still_be_paid();
    let waiting = order.state.is_open() || (came_back && watched);
    let story = tell(&order, came_back);
    let refresh = (waiting && address.refreshes < REFRESHES_MAX).then(|| {
        let next = format!(
            "{}&payment_id={}&refreshed={}",
            paths::payment_status(id),
            clean(&address.payment),
            address.refreshes + 1
        );
        view! { <noscript><meta http-equiv="refresh" content=format!("{REFRESH_SECONDS};url={next}") /></noscript> }
    });
    Ok(view! {
        <Title text="Payment · Atlas Credits" />
        <main id="main" class="page page--reading">
            {refresh}
            <FlashNotice flash />
            <StatusCard order story waiting came_back looks_on />
            {(watched && !looks_on).then(|| view! { <OrderWatch events=paths::order_events(id) /> })}
        </main>
    }
    .into_any())
}

/// Asks the provider, but shows the page in time whatever it does. Not being able to ask is no error here: the page says
/// that it waits, and goes on asking.
async fn ask_briefly(request: &Request, order: OrderId, payment: &str) {
    let hint = Some(clean(payment)).filter(|id| !id.is_empty());
    match tokio::time::timeout(ASK_PATIENCE, ask(request.ctx(), order, hint)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(order.id = %order, error = ?error, "the provider could not be asked"),
        Err(_) => tracing::warn!(order.id = %order, "the provider takes long to answer"),
    }
}

/// A provider's id out of an address: what is not one is dropped.
fn clean(payment: &str) -> String {
    let is_id = payment.len() <= 255 && payment.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if is_id { payment.to_owned() } else { String::new() }
}

#[component]
fn StatusCard(order: OrderPage, story: Story, waiting: bool, came_back: bool, looks_on: bool) -> impl IntoView {
    let (state, tone) = match words::order_state(order.state) {
        _ if waiting && !order.state.is_open() => ("Being confirmed", Tone::Wait),
        told => told,
    };
    let steps = story
        .steps
        .iter()
        .map(|step| {
            view! {
                <li class="step" data-step=step.progress.as_str()
                    aria-current=matches!(step.progress, Progress::Now | Progress::Failed).then_some("step")>
                    <span class="step-name">{step.name}</span>
                    <span class="step-note">{step.note}</span>
                </li>
            }
        })
        .collect::<Vec<_>>();
    let gain = (order.state.is_credited() && order.reversal.is_none()).then(|| {
        view! {
            <p class="status-gain">
                <span class="amount" data-sign="plus">{order.credits.signed()}</span>" credits"
                {(order.bonus > Credits::ZERO).then(|| view! {
                    <span class="status-bonus">
                        <span class="amount" data-sign="plus">{order.bonus.signed()}</span>" bonus credits"
                    </span>
                })}
            </p>
        }
    });
    view! {
        <article class="status-card" id="order" data-live="order" data-tone=tone.as_str() data-state=order.state.as_str()
            data-version=order.version.clone() data-open=order.state.may_still_be_paid().then_some("")>
            <ol class="steps" aria-label="Progress">{steps}</ol>
            <div class="status-head">
                <h1>{story.title}</h1>
                {gain}
                <p>{story.sentence}</p>
                {story.detail.map(|detail| view! { <p class="muted">{detail}</p> })}
            </div>
            <Facts order=order.clone() state />
            <div class="status-actions"><NextStep order=order.clone() action=story.action looks_on /></div>
            {waiting.then(|| view! { <Waiting order=order.id came_back /> })}
        </article>
    }
}

#[component]
fn Facts(order: OrderPage, state: &'static str) -> impl IntoView {
    view! {
        <dl class="facts">
            <div><dt>"Plan"</dt><dd>{order.plan_name}</dd></div>
            <div><dt>"Credits"</dt><dd>{order.credits.to_string()}</dd></div>
            {(order.bonus > Credits::ZERO).then(|| view! {
                <div><dt>"Bonus credits"</dt><dd>{order.bonus.to_string()}</dd></div>
            })}
            <div><dt>"Price"</dt><dd>{words::price(order.price)}</dd></div>
            <div><dt>"State"</dt><dd>{state}</dd></div>
            <div><dt>"Ordered"</dt><dd><Moment at=order.created_at /></dd></div>
            {order.settled_at.map(|at| view! { <div><dt>"Settled"</dt><dd><Moment at /></dd></div> })}
            {order.reversal.and_then(|reversal| reversal.refunded).map(|refunded| view! {
                <div><dt>"Refunded"</dt><dd>{refunded.to_string()}</dd></div>
            })}
            {order.reversal.map(reversed)}
            {order.state.is_credited().then(|| view! {
                <div><dt>"New balance"</dt><dd>{format!("{} credits", order.available)}</dd></div>
            })}
            {order.note.map(|note| view! { <div><dt>"Your note"</dt><dd>{note}</dd></div> })}
            <div><dt>"Order"</dt><dd><CopyableId id=order.id.to_string() what="order number" /></dd></div>
        </dl>
    }
}

/// The credits that were taken back or are in question, those of the bonus by themselves.
fn reversed(reversal: Reversal) -> impl IntoView {
    let rows = [
        ("Credits taken back", reversal.taken),
        ("Bonus credits taken back", reversal.taken_bonus),
        ("Credits in question", reversal.frozen),
        ("Bonus credits in question", reversal.frozen_bonus),
    ];
    let rows = rows.into_iter().filter(|(_, credits)| *credits > Credits::ZERO);
    rows.map(|(term, credits)| view! { <div><dt>{term}</dt><dd>{credits.to_string()}</dd></div> }).collect_view()
}

/// The checkout is no link for somebody who looks on: paying is the buyer's.
#[component]
fn NextStep(order: OrderPage, action: Action, looks_on: bool) -> impl IntoView {
    let checkout = |url: &str| (!looks_on).then(|| safe_link(url));
    let dead = looks_on.then_some("true");
    let receipt = paths::receipt(order.id);
    match (action, order.checkout_url) {
        (Action::Receipt, _) => view! {
            <a class="button button--primary" href=paths::CREDITS>"Go to your credits"</a>
            <a class="button button--plain" href=receipt><Icon name="receipt" />"Receipt"</a>
        }
        .into_any(),
        (Action::Pay, Some(url)) => view! {
            <a class="button button--primary" href=checkout(&url) role=dead.map(|_| "link") aria-disabled=dead>"Continue to the checkout"</a>
            <a class="button button--plain" href=paths::CREDITS>"Back to your credits"</a>
        }
        .into_any(),
        (Action::TryAgain, Some(url)) => view! {
            <a class="button button--primary" href=checkout(&url) role=dead.map(|_| "link") aria-disabled=dead>"Try again"</a>
            <a class="button button--plain" href=paths::CREDITS>"Choose another plan"</a>
        }
        .into_any(),
        (Action::TryAgain | Action::Pay | Action::BuyAgain, _) => view! {
            <a class="button button--primary" href=format!("{}#plans", paths::CREDITS)>"Choose a plan again"</a>
        }
        .into_any(),
        (Action::Wait, _) => view! { <a class="button" href=paths::CREDITS>"Back to your credits"</a> }.into_any(),
    }
}

/// Only web addresses become links (T53).
fn safe_link(url: &str) -> String {
    if url.starts_with("https://") || url.starts_with("http://") { url.to_owned() } else { paths::CREDITS.to_owned() }
}

#[component]
fn Waiting(order: OrderId, came_back: bool) -> impl IntoView {
    let again = paths::payment_status(order);
    view! {
        <p class="status-foot">
            {if came_back { "This page turns by itself. " } else { "This page follows what happens at the checkout. " }}
            <a href=again>"Check again"</a>
        </p>
    }
}
