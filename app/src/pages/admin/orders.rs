//! Every order, with those that wait for an answer first in line: searched, filtered, a page at a time. Requests are ticked
//! and answered together.

use atlas::Result;
use atlas::orders::desk::{self, After, Page, Search, Wanted};
use atlas::orders::list::Listed;
use atlas::people::roles::Support;
use domain::{OrderState, Role, paths};
use leptos::prelude::*;
use leptos_meta::Title;
use time::OffsetDateTime;

use super::for_staff;
use crate::flash;
use crate::pages::query;
use crate::parts::notice::FlashNotice;
use crate::parts::small::{Badge, Moment};
use crate::request::Request;
use crate::words;

/// What the address asks for. A value that doesn't read is as good as none.
#[derive(Clone)]
struct Asked {
    state: Option<OrderState>,
    search: String,
    after: Option<After>,
}

#[component]
pub fn Orders() -> impl IntoView {
    let asked = Asked { state: query("state").parse().ok(), search: query("q"), after: after(&query("after")) };
    let page = for_staff(move |request, support| draw(request, support, asked));
    view! { <Suspense>{Suspend::new(page)}</Suspense> }
}

async fn draw(request: Request, support: Support, asked: Asked) -> Result<AnyView> {
    let db = &request.ctx().db;
    let wanted = Wanted { state: asked.state, search: Search::parse(&asked.search) };
    let found = desk::page(db, &support, &wanted, asked.after).await?;
    let waiting = desk::waiting(db, &support).await?;
    let flash = flash::take(&request).await?;
    let may_answer = support.person().role() >= Role::Admin;
    Ok(view! {
        <Title text="Orders · Atlas Credits" />
        <main id="main" class="page">
            <div class="page-head">
                <div>
                    <h1>"Orders"</h1>
                    <p class="page-lead">{words::requests_wait(waiting)}</p>
                </div>
                {(waiting > 0 && asked.state != Some(OrderState::Requested)).then(|| view! {
                    <a class="button" href=address(Some(OrderState::Requested), "", None)>"Show what waits"</a>
                })}
            </div>
            <FlashNotice flash />
            <Filters asked=asked.clone() />
            <Found found asked may_answer />
        </main>
    }
    .into_any())
}

#[component]
fn Filters(asked: Asked) -> impl IntoView {
    let states = OrderState::ALL.iter().map(|state| {
        let (label, _) = words::order_state(*state);
        view! { <option value=state.as_str() selected=asked.state == Some(*state)>{label}</option> }
    });
    view! {
        <form class="filters" method="get" action=paths::ADMIN_ORDERS role="search" aria-label="Find orders">
            <div class="field">
                <label for="q">"Search"</label>
                <input class="input" r#type="search" id="q" name="q" value=asked.search.clone()
                    placeholder="Email, order, payment" autocomplete="off" spellcheck="false" />
            </div>
            <div class="field">
                <label for="state">"State"</label>
                <select class="input" id="state" name="state">
                    <option value="" selected=asked.state.is_none()>"Any"</option>
                    {states.collect_view()}
                </select>
            </div>
            <button class="button" r#type="submit">"Find"</button>
        </form>
    }
}

#[component]
fn Found(found: Page, asked: Asked, may_answer: bool) -> impl IntoView {
    if found.orders.is_empty() {
        let sentence = match asked.state {
            Some(OrderState::Requested) if asked.search.is_empty() => "No request waits for an answer.",
            None if asked.search.is_empty() => "Nobody has ordered yet.",
            _ => "No order fits this search.",
        };
        return view! {
            <div class="empty">
                <h2>"Nothing here"</h2>
                <p>{sentence}" "<a href=paths::ADMIN_ORDERS>"Show every order"</a></p>
            </div>
        }
        .into_any();
    }
    let answerable = may_answer && found.orders.iter().any(|order| order.state == OrderState::Requested);
    let older = found.older.map(|after| {
        let href = address(asked.state, &asked.search, Some(after));
        view! { <a class="button" rel="next" href=href>"Older"</a> }
    });
    let newest = asked.after.map(|_| {
        view! { <a class="button" href=address(asked.state, &asked.search, None)>"Newest"</a> }
    });
    let rows: Vec<_> = found.orders.into_iter().map(|order| view! { <Row order answerable /> }).collect();
    view! {
        <form method="get" action=paths::ADMIN_ANSWER>
            <table class="table table--dense">
                <caption class="visually-hidden">"Orders, newest first"</caption>
                <thead>
                    <tr>
                        {answerable.then(|| view! { <th scope="col"><span class="visually-hidden">"Choose"</span></th> })}
                        <th scope="col">"Order"</th>
                        <th scope="col">"Buyer"</th>
                        <th scope="col">"Plan"</th>
                        <th scope="col" class="number">"Credits"</th>
                        <th scope="col" class="number">"Price"</th>
                        <th scope="col">"State"</th>
                        <th scope="col">"Made"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
            {answerable.then(|| view! {
                <div class="form-foot">
                    <button class="button" r#type="submit">"Answer the chosen requests"</button>
                </div>
            })}
        </form>
        <nav class="cluster pager" aria-label="Pages">{newest}{older}</nav>
    }
    .into_any()
}

#[component]
fn Row(order: Listed, answerable: bool) -> impl IntoView {
    let (state, tone) = words::order_state(order.state);
    let choice = answerable.then(|| {
        let label = format!("Choose the request of {}", order.buyer_email);
        view! {
            <td>
                {(order.state == OrderState::Requested).then(|| view! {
                    <input r#type="checkbox" name="order" value=order.id.to_string() aria-label=label />
                })}
            </td>
        }
    });
    view! {
        <tr>
            {choice}
            <th scope="row"><a href=paths::admin_order(order.id)>{order.id.short()}</a></th>
            <td data-label="Buyer"><bdi>{order.buyer_email}</bdi></td>
            <td data-label="Plan">{order.plan_name}</td>
            <td data-label="Credits" class="number">{order.credits.to_string()}</td>
            <td data-label="Price" class="number">{words::price(order.price)}</td>
            <td data-label="State"><Badge words=state tone /></td>
            <td data-label="Made"><Moment at=order.created_at /></td>
        </tr>
    }
}

fn address(state: Option<OrderState>, search: &str, after: Option<After>) -> String {
    let after = after.map(|after| format!("{}.{}", after.created_at.unix_timestamp_nanos(), after.id));
    let query = [
        ("state", state.map_or("", OrderState::as_str)),
        ("q", search),
        ("after", after.as_deref().unwrap_or_default()),
    ];
    paths::with_query(paths::ADMIN_ORDERS, &query)
}

fn after(text: &str) -> Option<After> {
    let (at, id) = text.split_once('.')?;
    let created_at = OffsetDateTime::from_unix_timestamp_nanos(at.parse().ok()?).ok()?;
    Some(After { created_at, id: id.parse().ok()? })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn where_a_page_begins_stands_in_the_address() {
        let id = "0190aaaa-0000-7000-8000-000000000001".parse().unwrap();
        let from = After { created_at: OffsetDateTime::UNIX_EPOCH, id };
        let address = address(Some(OrderState::Requested), "a@b", Some(from));
        assert_eq!(address, format!("/admin/orders?state=requested&q=a%40b&after=0.{id}"));
        assert_eq!(after(&format!("0.{id}")), Some(from));
        for nonsense in ["", "0", "x.y", "99999999999999999999999999999999999999.0", "0.1"] {
            assert_eq!(after(nonsense), None);
        }
    }
}
