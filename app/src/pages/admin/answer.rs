//! Answering requests: what is about to be given to whom, and why. One request or many, the form is the same.

use atlas::Result;
use atlas::orders::answer::{self, Pending};
use atlas::people::roles::Admin;
use domain::{Credits, OrderId, paths};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::for_admin;
use crate::actions::admin::requests::{ANSWER_FORM, ApproveRequests, RejectRequests};
use crate::flash::{self, Form, form_of};
use crate::parts::field::{ErrorSummary, TextField};
use crate::parts::notice::FlashNotice;
use crate::parts::problem::confirm_first;
use crate::parts::small::Moment;
use crate::request::Request;
use crate::words;

#[component]
pub fn AnswerRequests() -> impl IntoView {
    let chosen = use_query_map().with_untracked(|query| query.get_all("order").unwrap_or_default());
    let page = for_admin(move |request, admin| draw(request, admin, chosen));
    view! { <Suspense>{Suspend::new(page)}</Suspense> }
}

async fn draw(request: Request, admin: Admin, chosen: Vec<String>) -> Result<AnyView> {
    let orders: Vec<OrderId> = chosen.iter().filter_map(|id| id.parse().ok()).collect();
    if request.fresh(admin.person()).await?.is_none() {
        return Ok(confirm_first(&paths::admin_answer(&orders)));
    }
    let pending = answer::pending(&request.ctx().db, &admin, &orders).await?;
    let flash = flash::take(&request).await?;
    if pending.is_empty() {
        return Ok(view! {
            <Title text="Answer requests · Atlas Credits" />
            <main id="main" class="page page--reading">
                <FlashNotice flash />
                <div class="empty">
                    <h1>"Nothing to answer"</h1>
                    <p>"None of the chosen orders waits for an answer. "<a href=paths::ADMIN_ORDERS>"Back to the orders"</a></p>
                </div>
            </main>
        }
        .into_any());
    }
    let total = pending.iter().map(|order| order.credits.get() + order.bonus.get()).sum::<i64>();
    let title = match pending.as_slice() {
        [one] => format!("Answer the request of {}", one.buyer_email),
        many => format!("Answer {} requests", many.len()),
    };
    let form = form_of(flash.as_ref(), ANSWER_FORM);
    Ok(view! {
        <Title text="Answer requests · Atlas Credits" />
        <main id="main" class="page page--reading">
            <div class="page-head">
                <div>
                    <h1>{title}</h1>
                    <p class="page-lead">
                        {format!("Approving gives {} credits in all, at once.", Credits::new(total))}
                    </p>
                </div>
            </div>
            <FlashNotice flash />
            <ErrorSummary form=form.clone() />
            <Requests pending=pending.clone() />
            <AnswerForm form pending />
        </main>
    }
    .into_any())
}

#[component]
fn Requests(pending: Vec<Pending>) -> impl IntoView {
    let rows = pending.into_iter().map(|order| {
        view! {
            <tr>
                <th scope="row"><a href=paths::admin_order(order.id)>{order.id.short()}</a></th>
                <td data-label="Buyer"><bdi>{order.buyer_email}</bdi></td>
                <td data-label="Plan">{order.plan_name}</td>
                <td data-label="Credits" class="number">{words::with_bonus(order.credits, order.bonus)}</td>
                <td data-label="Made"><Moment at=order.created_at /></td>
            </tr>
            {order.note.map(|note| view! { <tr><td colspan="5"><q class="note"><bdi>{note}</bdi></q></td></tr> })}
        }
    });
    view! {
        <table class="table">
            <caption class="visually-hidden">"The requests that are answered"</caption>
            <thead>
                <tr>
                    <th scope="col">"Order"</th>
                    <th scope="col">"Buyer"</th>
                    <th scope="col">"Plan"</th>
                    <th scope="col" class="number">"Credits"</th>
                    <th scope="col">"Made"</th>
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
}

#[component]
fn AnswerForm(form: Form, pending: Vec<Pending>) -> impl IntoView {
    let orders = pending.iter().map(|order| order.id.to_string()).collect::<Vec<_>>().join(",");
    let credits = match pending.as_slice() {
        [one] => Some((one.credits.get().to_string(), correct(one.bonus))),
        _ => None,
    };
    view! {
        <form class="form" method="post" action=ApproveRequests::PATH>
            <input r#type="hidden" name="orders" value=orders />
            {match credits {
                Some((asked, help)) => view! {
                    <TextField form=form.clone() name="credits" label="Credits" autocomplete="off" initial=asked
                        help />
                }.into_any(),
                None => view! { <input r#type="hidden" name="credits" value="" /> }.into_any(),
            }}
            <TextField form name="reason" label="Reason" autocomplete="off"
                help="Whoever is declined reads it. It is kept with the order and in the audit." />
            <div class="form-foot">
                <button class="button button--primary" r#type="submit">"Approve"</button>
                <button class="button" r#type="submit" formaction=RejectRequests::PATH formnovalidate=true>
                    "Reject"
                </button>
                <a href=paths::ADMIN_ORDERS>"Back to the orders"</a>
            </div>
        </form>
    }
}

/// What may be done to the number of credits; the bonus stays as it was offered.
const fn correct(bonus: Credits) -> &'static str {
    if bonus.get() > 0 {
        "As asked for. Correct it if you agreed on something else; the bonus comes on top, as it was offered."
    } else {
        "As asked for. Correct it if you agreed on something else."
    }
}
