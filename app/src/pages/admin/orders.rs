//! Every order, with those that wait for an answer first in line: searched, filtered, a page at a time. Requests are ticked
//! and answered together.

mod asked;

use atlas::Result;
use atlas::orders::desk::{self, Page, Sort, Wanted};
use atlas::orders::list::Listed;
use atlas::people::roles::Support;
use atlas::plans::names::{Named, names};
use domain::{OrderState, Provider, Role, paths};
use leptos::prelude::*;
use leptos_meta::Title;

use self::asked::{Asked, address};
use super::for_staff;
use crate::flash;
use crate::parts::days::DayFields;
use crate::parts::notice::FlashNotice;
use crate::parts::small::{Badge, Icon, Moment};
use crate::request::Request;
use crate::words;

#[component]
pub fn Orders() -> impl IntoView {
    let asked = Asked::from_query();
    let page = for_staff(move |request, support| draw(request, support, asked));
    view! { <Suspense>{Suspend::new(page)}</Suspense> }
}

async fn draw(request: Request, support: Support, asked: Asked) -> Result<AnyView> {
    let db = &request.ctx().db;
    let found = desk::page(db, &support, &asked.wanted, asked.after).await?;
    let waiting = desk::waiting(db, &support).await?;
    let plans = names(db, &support).await?;
    let flash = flash::take(&request).await?;
    let role = support.person().role();
    let may_answer = role >= Role::Admin;
    let waits = Wanted { state: Some(OrderState::Requested), ..Wanted::default() };
    Ok(view! {
        <Title text="Orders · Atlas Credits" />
        <main id="main" class="page">
            <div class="page-head">
                <div>
                    <h1>"Orders"</h1>
                    <p class="page-lead">{words::requests_wait(waiting)}</p>
                </div>
                <div class="cluster">
                    {(waiting > 0 && asked.wanted.state != waits.state).then(|| view! {
                        <a class="button" href=address(paths::ADMIN_ORDERS, &waits, "", None)>"Show what waits"</a>
                    })}
                    {(role >= Role::Finance).then(|| view! {
                        <a class="button" href=address(paths::ADMIN_ORDERS_CSV, &asked.wanted, &asked.search, None) download="">
                            <Icon name="download" />"CSV"
                        </a>
                    })}
                </div>
            </div>
            <FlashNotice flash />
            <Filters asked=asked.clone() plans />
            <Found found asked may_answer />
        </main>
    }
    .into_any())
}

#[component]
fn Filters(asked: Asked, plans: Vec<Named>) -> impl IntoView {
    let states = OrderState::ALL.iter().map(|state| {
        let (label, _) = words::order_state(*state);
        view! { <option value=state.as_str() selected=asked.wanted.state == Some(*state)>{label}</option> }
    });
    let Wanted { provider, plan, sort, from, to, .. } = asked.wanted;
    let providers = Provider::ALL.iter().map(|each| {
        view! { <option value=each.as_str() selected=provider == Some(*each)>{each.title()}</option> }
    });
    let plans = plans.into_iter().map(|each| {
        view! { <option value=each.id.to_string() selected=plan == Some(each.id)>{each.name}</option> }
    });
    let sorts = Sort::ALL.map(|each| {
        view! { <option value=each.as_str() selected=sort == each>{sorted(each)}</option> }
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
                    <option value="" selected=asked.wanted.state.is_none()>"Any"</option>
                    {states.collect_view()}
                </select>
            </div>
            <div class="field">
                <label for="provider">"Provider"</label>
                <select class="input" id="provider" name="provider">
                    <option value="" selected=provider.is_none()>"Any"</option>
                    {providers.collect_view()}
                </select>
            </div>
            <div class="field">
                <label for="plan">"Plan"</label>
                <select class="input" id="plan" name="plan">
                    <option value="" selected=plan.is_none()>"Any"</option>
                    {plans.collect_view()}
                </select>
            </div>
            <DayFields from to />
            <div class="field">
                <label for="sort">"Order"</label>
                <select class="input" id="sort" name="sort">{sorts.collect_view()}</select>
            </div>
            <button class="button" r#type="submit">"Find"</button>
        </form>
    }
}

const fn sorted(sort: Sort) -> &'static str {
    match sort {
        Sort::Newest => "Newest first",
        Sort::Oldest => "Oldest first",
        Sort::LastSettled => "Last settled first",
        Sort::FirstSettled => "First settled first",
    }
}

#[component]
fn Found(found: Page, asked: Asked, may_answer: bool) -> impl IntoView {
    if found.orders.is_empty() {
        let waits = Wanted { state: Some(OrderState::Requested), sort: asked.wanted.sort, ..Wanted::default() };
        let sentence = if asked.is_everything() && asked.wanted.sort.is_by_settled() {
            "No order is paid or decided yet."
        } else if asked.is_everything() {
            "Nobody has ordered yet."
        } else if asked.wanted == waits {
            "No request waits for an answer."
        } else {
            "No order fits this search."
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
    let (further, first, caption) = match asked.wanted.sort {
        Sort::Newest => ("Older", "Newest", "Orders, newest first"),
        Sort::Oldest => ("Newer", "Oldest", "Orders, oldest first"),
        Sort::LastSettled => ("Settled earlier", "Settled last", "Settled orders, the last settled first"),
        Sort::FirstSettled => ("Settled later", "Settled first", "Settled orders, the first settled first"),
    };
    let page = |after| address(paths::ADMIN_ORDERS, &asked.wanted, &asked.search, after);
    let next = found.next.map(|after| view! { <a class="button" rel="next" href=page(Some(after))>{further}</a> });
    let start = asked.after.map(|_| view! { <a class="button" href=page(None)>{first}</a> });
    let by_settled = asked.wanted.sort.is_by_settled();
    let rows: Vec<_> = found.orders.into_iter().map(|order| view! { <Row order answerable by_settled /> }).collect();
    view! {
        {by_settled.then(|| view! {
            <p class="muted">"Only orders that were paid or decided. From and To are the days on which that was."</p>
        })}
        <form method="get" action=paths::ADMIN_ANSWER>
            <table class="table table--dense">
                <caption class="visually-hidden">{caption}</caption>
                <thead>
                    <tr>
                        {answerable.then(|| view! { <th scope="col"><span class="visually-hidden">"Choose"</span></th> })}
                        <th scope="col">"Order"</th>
                        <th scope="col">"Buyer"</th>
                        <th scope="col">"Plan"</th>
                        <th scope="col" class="number">"Credits"</th>
                        <th scope="col" class="number">"Price"</th>
                        <th scope="col">"State"</th>
                        <th scope="col">{if by_settled { "Settled" } else { "Made" }}</th>
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
        <nav class="cluster pager" aria-label="Pages">{start}{next}</nav>
    }
    .into_any()
}

#[component]
fn Row(order: Listed, answerable: bool, by_settled: bool) -> impl IntoView {
    let (said, at) = match order.settled_at.filter(|_| by_settled) {
        Some(at) => ("Settled", at),
        None => ("Made", order.created_at),
    };
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
            <td data-label=said><Moment at /></td>
        </tr>
    }
}
