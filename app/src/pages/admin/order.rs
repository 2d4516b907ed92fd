//! One order's whole story, for those who are asked "where are my credits?".

use atlas::orders::dossier::{self, Booking, Dispute, Dossier, Event, Mail, Order, Payment, Refund};
use atlas::people::roles::Support;
use atlas::{Error, Result};
use domain::{Credits, OrderState, Role, paths};
use leptos::prelude::*;
use leptos_meta::Title;

use super::for_staff;
use crate::flash;
use crate::pages::param;
use crate::parts::notice::FlashNotice;
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
    let Dossier { order, payments, refunds, disputes, events, bookings, mails } =
        dossier::load(request.ctx(), &support, id).await?;
    let flash = flash::take(&request).await?;
    let (state, tone) = words::order_state(order.state);
    let answerable = order.state == OrderState::Requested && support.person().role() >= Role::Admin;
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
            <FlashNotice flash />
            <Facts order />
            <Payments payments refunds disputes />
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
                <div><dt>"Plan"</dt><dd>{format!("{}, {} credits", order.plan_name, order.credits)}</dd></div>
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
                        Some(credits) => format!("Approved, {credits} credits"),
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
fn Payments(payments: Vec<Payment>, refunds: Vec<Refund>, disputes: Vec<Dispute>) -> impl IntoView {
    if payments.is_empty() {
        return ().into_any();
    }
    let rows = payments.into_iter().map(|payment| {
        let (state, tone) = words::payment_state(payment.state);
        let credits = match (payment.granted, payment.taken > Credits::ZERO, payment.frozen > Credits::ZERO) {
            (false, ..) => "none given".to_owned(),
            (true, false, false) => "given".to_owned(),
            (true, true, _) => format!("given, {} taken back", payment.taken),
            (true, false, true) => format!("given, {} held", payment.frozen),
        };
        let mine = payment.id.clone();
        let reversals = refunds
            .iter()
            .filter(|refund| refund.payment == mine)
            .map(|refund| format!("Refund {} of {}: {}", refund.id, refund.amount, refund.state))
            .chain(disputes.iter().filter(|dispute| dispute.payment == mine).map(|dispute| {
                let amount = dispute.amount.map(|amount| format!(" over {amount}")).unwrap_or_default();
                format!("Dispute {}{amount}: {}", dispute.id, dispute.state)
            }))
            .map(|line| view! { <li>{line}</li> })
            .collect::<Vec<_>>();
        view! {
            <tr>
                <th scope="row"><CopyableId id=payment.id what="payment’s id" /></th>
                <td data-label="State"><Badge words=state tone /></td>
                <td data-label="Amount" class="number">{payment.amount.map(|amount| amount.to_string())}</td>
                <td data-label="Refunded" class="number">{payment.refunded.map(|amount| amount.to_string())}</td>
                <td data-label="Credits">{credits}</td>
                <td data-label="Paid">{payment.paid_at.map(|at| view! { <Moment at /> })}</td>
            </tr>
            {payment.failure_message.map(|message| view! { <tr><td colspan="6">{message}</td></tr> })}
            {(!reversals.is_empty()).then(|| view! { <tr><td colspan="6"><ul>{reversals}</ul></td></tr> })}
        }
    });
    view! {
        <section class="stack" aria-labelledby="payments-title">
            <h2 id="payments-title">"Payments"</h2>
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">"Payment"</th>
                        <th scope="col">"State"</th>
                        <th scope="col" class="number">"Amount"</th>
                        <th scope="col" class="number">"Refunded"</th>
                        <th scope="col">"Credits"</th>
                        <th scope="col">"Paid"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </section>
    }
    .into_any()
}

#[component]
fn Bookings(bookings: Vec<Booking>) -> impl IntoView {
    if bookings.is_empty() {
        return view! {
            <section class="stack" aria-labelledby="booked-title">
                <h2 id="booked-title">"Ledger"</h2>
                <p class="muted">"No credits were given for this order."</p>
            </section>
        }
        .into_any();
    }
    let rows = bookings.into_iter().map(|booking| {
        view! {
            <tr>
                <th scope="row">{words::transaction_kind(booking.kind)}</th>
                <td data-label="What">{booking.description}</td>
                <td data-label="Credits" class="number"><SignedCredits amount=booking.net /></td>
                <td data-label="Owed" class="number">
                    {(booking.debt_change != Credits::ZERO).then(|| booking.debt_change.signed())}
                </td>
                <td data-label="Balance" class="number">{booking.balance_after.to_string()}</td>
                <td data-label="By">{booking.actor}</td>
                <td data-label="When"><Moment at=booking.at /></td>
            </tr>
        }
    });
    view! {
        <section class="stack" aria-labelledby="booked-title">
            <h2 id="booked-title">"Ledger"</h2>
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">"Kind"</th>
                        <th scope="col">"What"</th>
                        <th scope="col" class="number">"Credits"</th>
                        <th scope="col" class="number">"Owed"</th>
                        <th scope="col" class="number">"Balance"</th>
                        <th scope="col">"By"</th>
                        <th scope="col">"When"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </section>
    }
    .into_any()
}

#[component]
fn Events(events: Vec<Event>) -> impl IntoView {
    if events.is_empty() {
        return ().into_any();
    }
    let rows = events.into_iter().map(|event| {
        view! {
            <tr>
                <th scope="row">{event.kind}</th>
                <td data-label="About">{event.object}</td>
                <td data-label="Became">{event.state}{event.reason.map(|reason| format!(" ({reason})"))}</td>
                <td data-label="Tries" class="number">{event.attempts}</td>
                <td data-label="Came"><Moment at=event.received_at /></td>
            </tr>
        }
    });
    view! {
        <section class="stack" aria-labelledby="events-title">
            <h2 id="events-title">"What the provider told us"</h2>
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">"Event"</th>
                        <th scope="col">"About"</th>
                        <th scope="col">"Became"</th>
                        <th scope="col" class="number">"Tries"</th>
                        <th scope="col">"Came"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </section>
    }
    .into_any()
}

#[component]
fn Mails(mails: Vec<Mail>) -> impl IntoView {
    if mails.is_empty() {
        return ().into_any();
    }
    let rows = mails.into_iter().map(|mail| {
        view! {
            <tr>
                <th scope="row">{mail.kind.replace('_', " ")}</th>
                <td data-label="State">{mail.state}{mail.error.map(|error| format!(": {error}"))}</td>
                <td data-label="Written"><Moment at=mail.created_at /></td>
                <td data-label="Sent">{mail.sent_at.map(|at| view! { <Moment at /> })}</td>
            </tr>
        }
    });
    view! {
        <section class="stack" aria-labelledby="mails-title">
            <h2 id="mails-title">"Mails"</h2>
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">"About"</th>
                        <th scope="col">"State"</th>
                        <th scope="col">"Written"</th>
                        <th scope="col">"Sent"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </section>
    }
    .into_any()
}
