//! One order's whole story, for those who are asked "where are my credits?".

mod refunds;

use atlas::notes::{self, About};
use atlas::orders::dossier::{self, Booking, Dispute, Dossier, Event, Mail, Order, Payment, Refund};
use atlas::people::roles::Support;
use atlas::{Error, Result};
use domain::{Credits, DisputeState, OrderId, OrderState, Role, paths};
use leptos::prelude::*;
use leptos_meta::Title;

use self::refunds::RefundsAskedFor;
use super::for_staff;
use crate::flash;
use crate::pages::param;
use crate::parts::notes::Notes;
use crate::parts::notice::FlashNotice;
use crate::parts::records::{Column, Record, Records};
use crate::parts::small::{Badge, CopyableId, Moment, SignedCredits};
use crate::request::Request;
use crate::words;

#[component]
pub fn OrderPage() -> impl IntoView {
    let id = param("id");
    let page = for_staff(move |request, support| draw(request, support, id));
    view! { <Suspense>{Suspend::new(page)}</Suspense> }
}

async fn draw(request: Request, support: Support, id: String) -> Result<AnyView> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let Dossier { order, payments, refunds, disputes, refund_requests, events, bookings, mails } =
        dossier::load(request.ctx(), &support, id).await?;
    let notes = notes::list(&request.ctx().db, &support, About::Order(id)).await?;
    let flash = flash::take(&request).await?;
    let (state, tone) = words::order_state(order.state);
    let answerable = order.state == OrderState::Requested && support.person().role() >= Role::Admin;
    let refund_of = (support.person().role() >= Role::Finance).then_some(order.id);
    Ok(view! {
        <Title text="Order · Atlas Credits" />
        <main id="main" class="page">
            <div class="page-head">
                <div>
                    <h1>"Order of "<bdi>{order.buyer_email.clone()}</bdi></h1>
                    <p class="page-lead"><Badge words=state tone /></p>
                </div>
                {answerable.then(|| view! {
                    <a class="button button--primary" href=paths::admin_answer(&[id])>"Answer this request"</a>
                })}
            </div>
            <FlashNotice flash=flash.clone() />
            <Facts order />
            <Notes about=About::Order(id) notes flash />
            <Payments payments refunds disputes refund_of />
            <RefundsAskedFor requests=refund_requests me=support.person().id() />
            <Bookings bookings />
            <Events events />
            <Mails mails />
        </main>
    }
    .into_any())
}

#[component]
fn Facts(order: Order) -> impl IntoView {
    view! {
        <section class="stack" aria-labelledby="facts-title">
            <h2 id="facts-title">"What was ordered"</h2>
            <dl class="facts">
                <div><dt>"Order"</dt><dd><CopyableId id=order.id.to_string() what="order’s id" /></dd></div>
                <div><dt>"Buyer"</dt><dd><bdi>{order.buyer_name}</bdi>" "<bdi>{order.buyer_email}</bdi></dd></div>
                <div><dt>"Can spend now"</dt><dd>{format!("{} credits", order.available)}</dd></div>
                {(order.debt > Credits::ZERO).then(|| view! {
                    <div><dt>"Owes"</dt><dd>{format!("{} credits", order.debt)}</dd></div>
                })}
                <div><dt>"Plan"</dt><dd>{format!("{}, {}", order.plan_name, words::credits_given(order.credits, order.bonus))}</dd></div>
                <div><dt>"Price"</dt><dd>{words::price(order.price)}</dd></div>
                <div><dt>"Paid through"</dt><dd>{order.provider.title()}</dd></div>
                <div><dt>"Made"</dt><dd><Moment at=order.created_at /></dd></div>
                {order.settled_at.map(|at| view! { <div><dt>"Settled"</dt><dd><Moment at /></dd></div> })}
                {order.next_ask_at.filter(|_| order.state.may_still_be_paid()).map(|at| view! {
                    <div><dt>"Asked about again"</dt><dd><Moment at /></dd></div>
                })}
                {order.checkout_id.map(|id| view! { <div><dt>"Checkout"</dt><dd><CopyableId id what="checkout’s id" /></dd></div> })}
                {order.failure_message.map(|message| view! { <div><dt>"Failure"</dt><dd>{message}</dd></div> })}
                {order.note.map(|note| view! { <div><dt>"Note"</dt><dd><bdi class="note">{note}</bdi></dd></div> })}
                {order.answer.map(|answer| {
                    let said = match answer.granted {
                        Some(credits) => format!("Approved, {}", words::credits_given(credits, order.bonus)),
                        None => "Rejected".to_owned(),
                    };
                    let by = answer.by.unwrap_or_else(|| "an operator".to_owned());
                    view! {
                        <div><dt>"Answer"</dt><dd>{format!("{said}, by {by}: ")}<bdi>{answer.reason}</bdi></dd></div>
                    }
                })}
            </dl>
        </section>
    }
}

#[component]
fn Payments(
    payments: Vec<Payment>,
    refunds: Vec<Refund>,
    disputes: Vec<Dispute>,
    /// The order, for those who may refund.
    refund_of: Option<OrderId>,
) -> impl IntoView {
    const COLUMNS: &[Column] = &[
        Column::Text("Payment"),
        Column::Text("State"),
        Column::Number("Amount"),
        Column::Number("Refunded"),
        Column::Text("Credits"),
        Column::Text("Paid"),
    ];
    let records = payments.into_iter().map(|payment| {
        let (state, tone) = words::payment_state(payment.state);
        let credits = given(&payment);
        let under = below(&payment, &refunds, &disputes, refund_of);
        Record {
            cells: vec![
                view! { <CopyableId id=payment.id what="payment’s id" /> }.into_any(),
                view! { <Badge words=state tone /> }.into_any(),
                payment.amount.map(|amount| amount.to_string()).into_any(),
                payment.refunded.map(|amount| amount.to_string()).into_any(),
                credits.into_any(),
                payment.paid_at.map(|at| view! { <Moment at /> }).into_any(),
            ],
            under,
        }
    });
    view! { <Records id="payments-title" title="Payments" columns=COLUMNS records=records.collect() /> }
}

/// What became of a payment's credits, and of its bonus.
fn given(payment: &Payment) -> String {
    let became = |taken: Credits, frozen: Credits| match (taken > Credits::ZERO, frozen > Credits::ZERO) {
        (true, _) => Some(format!("{taken} taken back")),
        (false, true) => Some(format!("{frozen} held")),
        (false, false) => None,
    };
    if !payment.granted {
        return "none given".to_owned();
    }
    let credits = became(payment.taken, payment.frozen);
    let bonus = became(payment.taken_bonus, payment.frozen_bonus).map(|became| format!("of the bonus {became}"));
    let parts: Vec<_> = std::iter::once("given".to_owned()).chain(credits).chain(bonus).collect();
    parts.join(", ")
}

/// What went wrong with a payment, and what took it back.
fn below(payment: &Payment, refunds: &[Refund], disputes: &[Dispute], refund_of: Option<OrderId>) -> Option<AnyView> {
    let refunds = refunds.iter().filter(|refund| refund.payment == payment.id);
    let disputes: Vec<_> = disputes.iter().filter(|dispute| dispute.payment == payment.id).collect();
    // While a bank decides, nothing can be paid back beside it.
    let at_the_bank = disputes.iter().any(|dispute| dispute.state == DisputeState::Open);
    let failure = payment.failure_message.clone();
    let lines: Vec<String> = failure
        .into_iter()
        .chain(refunds.map(refund_line))
        .chain(disputes.into_iter().map(|dispute| match dispute.amount {
            Some(amount) => format!("Dispute {} over {amount}: {}", dispute.id, dispute_line(dispute)),
            None => format!("Dispute {}: {}", dispute.id, dispute_line(dispute)),
        }))
        .collect();
    let items = lines.iter().map(|line| view! { <li>{line.clone()}</li> }).collect_view();
    let has_left = payment.amount.is_some_and(|amount| payment.refunded.is_none_or(|gone| gone.minor < amount.minor));
    let refund =
        refund_of.filter(|_| has_left && !at_the_bank).map(|order| paths::admin_refund(order, &payment.id, ""));
    let list = (!lines.is_empty()).then(|| view! { <ul class="list">{items}</ul> });
    let link = refund.map(|href| view! { <p><a class="button" href=href>"Refund"</a></p> });
    (list.is_some() || link.is_some()).then(|| view! { <div class="stack">{list}{link}</div> }.into_any())
}

fn dispute_line(dispute: &Dispute) -> String {
    let (state, _) = words::dispute_state(dispute.state);
    let deadline = dispute.respond_by.filter(|_| dispute.state.is_under_way());
    let deadline = deadline.map(|at| format!(", to be answered by {}", words::moment(at))).unwrap_or_default();
    format!("{}{deadline}", state.to_lowercase())
}

fn refund_line(refund: &Refund) -> String {
    let (state, _) = words::refund_state(refund.state);
    let why = refund.failure.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    format!("Refund {} of {}: {}{why}", refund.id, refund.amount, state.to_lowercase())
}

#[component]
fn Bookings(bookings: Vec<Booking>) -> impl IntoView {
    const COLUMNS: &[Column] = &[
        Column::Text("Kind"),
        Column::Text("What"),
        Column::Number("Credits"),
        Column::Number("Owed"),
        Column::Number("Balance"),
        Column::Text("By"),
        Column::Text("When"),
    ];
    let records = bookings.into_iter().map(|booking| {
        Record::from(vec![
            words::transaction_kind(booking.kind).into_any(),
            booking.description.into_any(),
            view! { <SignedCredits amount=booking.net /> }.into_any(),
            (booking.debt_change != Credits::ZERO).then(|| booking.debt_change.signed()).into_any(),
            booking.balance_after.to_string().into_any(),
            booking.actor.into_any(),
            view! { <Moment at=booking.at /> }.into_any(),
        ])
    });
    view! {
        <Records id="booked-title" title="Ledger" columns=COLUMNS records=records.collect()
            none="No credits were given for this order." />
    }
}

#[component]
fn Events(events: Vec<Event>) -> impl IntoView {
    const COLUMNS: &[Column] = &[
        Column::Text("Event"),
        Column::Text("About"),
        Column::Text("Became"),
        Column::Number("Tries"),
        Column::Text("Came"),
    ];
    let records = events.into_iter().map(|event| {
        let reason = event.reason.map(|reason| format!(" ({reason})"));
        Record::from(vec![
            event.kind.into_any(),
            event.object.into_any(),
            view! { {event.state}{reason} }.into_any(),
            event.attempts.into_any(),
            view! { <Moment at=event.received_at /> }.into_any(),
        ])
    });
    view! { <Records id="events-title" title="What the provider told us" columns=COLUMNS records=records.collect() /> }
}

#[component]
fn Mails(mails: Vec<Mail>) -> impl IntoView {
    const COLUMNS: &[Column] =
        &[Column::Text("About"), Column::Text("State"), Column::Text("Written"), Column::Text("Sent")];
    let records = mails.into_iter().map(|mail| {
        let error = mail.error.map(|error| format!(": {error}"));
        Record::from(vec![
            mail.kind.replace('_', " ").into_any(),
            view! { {mail.state}{error} }.into_any(),
            view! { <Moment at=mail.created_at /> }.into_any(),
            mail.sent_at.map(|at| view! { <Moment at /> }).into_any(),
        ])
    });
    view! { <Records id="mails-title" title="Mails" columns=COLUMNS records=records.collect() /> }
}
