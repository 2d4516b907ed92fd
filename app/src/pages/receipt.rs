//! A receipt that prints on one page.

use atlas::orders::receipt::{Receipt, ReceiptPayment, receipt};
use atlas::people::Owner;
use atlas::{Error, Result};
use domain::{OrderId, paths};
use leptos::prelude::*;
use leptos_meta::Title;

use crate::pages::{for_owner, param};
use crate::parts::small::Moment;
use crate::request::Request;
use crate::words;
use islands::print::PrintButton;

#[component]
pub fn ReceiptPage() -> impl IntoView {
    let id = param("id");
    let back_to = format!("/receipt/{id}");
    let page = async move { for_owner(&back_to, |request, person| draw(request, person, id)).await };
    view! { <Suspense>{Suspend::new(page)}</Suspense> }
}

async fn draw(request: Request, person: Owner, id: String) -> Result<AnyView> {
    let id: OrderId = id.parse().map_err(|_| Error::NotFound)?;
    let found = receipt(&request.ctx().db, &person, id).await?;
    Ok(view! {
        <Title text="Receipt · Atlas Credits" />
        <main id="main" class="page page--reading">
            <div class="receipt-tools">
                <a href=paths::payment_status(id)>"Back to the order"</a>
                <PrintButton />
            </div>
            <Sheet found buyer=person />
        </main>
    }
    .into_any())
}

#[component]
fn Sheet(found: Receipt, buyer: Owner) -> impl IntoView {
    let total = total(&found.payments);
    let rows = found.payments.iter().map(|payment| row(&found, payment)).collect::<Vec<_>>();
    let provider = found.provider.title();
    view! {
        <article class="receipt">
            <header class="receipt-head">
                <p class="brand">"Atlas Credits"</p>
                <h1>"Receipt"</h1>
            </header>
            <dl class="facts">
                <div><dt>"Number"</dt><dd><code>{found.order.to_string()}</code></dd></div>
                <div><dt>"Date"</dt><dd><Moment at=found.credited_at /></dd></div>
                <div><dt>"Buyer"</dt><dd><bdi>{buyer.display_name().to_owned()}</bdi></dd></div>
                <div><dt>"Email"</dt><dd>{buyer.email().to_owned()}</dd></div>
            </dl>
            {if rows.is_empty() {
                view! {
                    <p>{format!("{}, {}, approved by hand. The price and its payment are settled outside this system.", found.plan_name, given(&found))}</p>
                }
                .into_any()
            } else {
                view! {
                    <table class="table receipt-lines">
                        <thead>
                            <tr>
                                <th scope="col">"Item"</th>
                                <th scope="col">"Paid"</th>
                                <th scope="col">"Payment"</th>
                                <th scope="col" class="number">"Amount"</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                        <tfoot>
                            <tr><th colspan="3" scope="row">"Total paid"</th><td class="number">{total}</td></tr>
                        </tfoot>
                    </table>
                    <p class="muted">
                        {format!("Paid through {provider}. Amounts are without tax; where tax was added at the checkout, {provider}’s own receipt states it.")}
                    </p>
                }
                .into_any()
            }}
        </article>
    }
}

fn row(found: &Receipt, payment: &ReceiptPayment) -> impl IntoView + use<> {
    view! {
        <tr>
            <td>{format!("{}: {}", found.plan_name, given(found))}</td>
            <td data-label="Paid">{payment.paid_at.map(|at| view! { <Moment at /> })}</td>
            <td data-label="Payment">
                {payment.method.clone().map(|method| format!("{method} "))}
                <code>{payment.id.clone()}</code>
            </td>
            <td class="number" data-label="Amount">{format!("{} {}", payment.amount, payment.amount.currency.code())}</td>
        </tr>
    }
}

/// The credits, and the bonus where there is one.
fn given(found: &Receipt) -> String {
    words::credits_given(found.credits, found.bonus)
}

/// All payments of an order are in the order's currency; the sum is exact.
fn total(payments: &[ReceiptPayment]) -> Option<String> {
    let first = payments.first()?;
    let minor = payments.iter().map(|payment| payment.amount.minor).sum();
    let sum = domain::Money::new(minor, first.amount.currency);
    Some(format!("{sum} {}", sum.currency.code()))
}
