//! One movement: what it was, why, and under which payment.

use atlas::ledger::statement::story::{Piece, Story, story};
use atlas::people::Owner;
use atlas::{Error, Result};
use domain::{TransactionId, paths};
use leptos::prelude::*;
use leptos_meta::Title;

use crate::pages::{for_owner, param};
use crate::parts::small::{CopyableId, Moment, SignedCredits};
use crate::request::Request;
use crate::words;

#[component]
pub fn TransactionPage() -> impl IntoView {
    let id = param("id");
    let back_to = format!("{}/{id}", paths::TRANSACTIONS);
    let page = async move { for_owner(&back_to, |request, person| draw(request, person, id)).await };
    view! { <Suspense>{Suspend::new(page)}</Suspense> }
}

async fn draw(request: Request, person: Owner, id: String) -> Result<AnyView> {
    let id: TransactionId = id.parse().map_err(|_| Error::NotFound)?;
    let told = story(&request.ctx().db, person.id(), id).await?;
    let pieces = told.pieces.iter().map(piece).collect::<Vec<_>>();
    Ok(view! {
        <Title text="Transaction · Atlas Credits" />
        <main id="main" class="page page--reading">
            <div class="page-head">
                <h1>{told.description.clone()}</h1>
                <a href=paths::TRANSACTIONS>"All transactions"</a>
            </div>
            <p class="status-gain"><SignedCredits amount=told.net />" credits"</p>
            <Facts told />
            <section aria-labelledby="pieces-title">
                <h2 id="pieces-title">"Which credits moved"</h2>
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">"Lot"</th>
                            <th scope="col">"Since"</th>
                            <th scope="col" class="number">"Credits"</th>
                        </tr>
                    </thead>
                    <tbody>{pieces}</tbody>
                </table>
            </section>
        </main>
    }
    .into_any())
}

#[component]
fn Facts(told: Story) -> impl IntoView {
    let payment = told.payment.map(|payment| {
        view! {
            <div><dt>"Payment"</dt><dd><CopyableId id=payment.id what="payment number" /></dd></div>
            <div><dt>"Paid"</dt><dd>
                {payment.amount.map(|amount| amount.to_string())}
                {payment.method.map(|method| format!(", {method}"))}
            </dd></div>
        }
    });
    let order = told.order.map(|order| {
        view! {
            <div><dt>"Order"</dt><dd><a href=paths::payment_status(order)>{order.short()}</a></dd></div>
            <div><dt>"Receipt"</dt><dd><a href=paths::receipt(order)>"Open the receipt"</a></dd></div>
        }
    });
    view! {
        <dl class="facts">
            <div><dt>"Kind"</dt><dd>{words::transaction_kind(told.kind)}</dd></div>
            <div><dt>"When"</dt><dd><Moment at=told.at /></dd></div>
            <div><dt>"Balance after"</dt><dd>{format!("{} credits", told.balance_after)}</dd></div>
            {(told.debt_change.get() != 0).then(|| view! {
                <div><dt>"Change of what is owed"</dt><dd>{told.debt_change.signed()}</dd></div>
            })}
            {told.plan_name.map(|plan| view! { <div><dt>"Plan"</dt><dd>{plan}</dd></div> })}
            {order}
            {payment}
            <div><dt>"Done by"</dt><dd>{told.actor}</dd></div>
            <div><dt>"Transaction"</dt><dd><CopyableId id=told.transaction.to_string() what="transaction number" /></dd></div>
        </dl>
    }
}

fn piece(piece: &Piece) -> impl IntoView + use<> {
    let lot = piece.source.map_or("What was owed", words::lot_source);
    view! {
        <tr>
            <td>
                {lot}
                {piece.expires_at.map(|at| view! { <span class="muted">" until "<Moment at /></span> })}
            </td>
            <td data-label="Since">{piece.lot_since.map(|at| view! { <Moment at /> })}</td>
            <td class="number" data-label="Credits"><SignedCredits amount=piece.amount /></td>
        </tr>
    }
}
