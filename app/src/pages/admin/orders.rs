//! Every order, with those that wait for an answer first in line: searched, filtered, a page at a time. Requests are ticked
//! and answered together.

use atlas::Result;
use atlas::orders::desk::{self, After, Page, Search, Sort, Wanted};
use atlas::orders::list::Listed;
use atlas::people::roles::Support;
use domain::{OrderState, Provider, Role, paths};
use leptos::prelude::*;
use leptos_meta::Title;

use super::for_staff;
use crate::flash;
use crate::pages::query;
use crate::parts::days::{self, DayFields};
use crate::parts::notice::FlashNotice;
use crate::parts::small::{Badge, Icon, Moment};
use crate::request::Request;
use crate::words;

/// What the address asks for. A value that doesn't read is as good as none.
#[derive(Clone)]
struct Asked {
    wanted: Wanted,
    /// As it was typed.
    search: String,
    after: Option<After>,
}

impl Asked {
    /// As it stands in the address; values that don't read are as good as none.
    fn from_query() -> Self {
        let search = query("q");
        let wanted = Wanted {
            state: query("state").parse().ok(),
            provider: query("provider").parse().ok(),
            from: days::typed(&query("from")),
            to: days::typed(&query("to")),
            search: Search::parse(&search),
            sort: Sort::parse(&query("sort")),
        };
        Self { wanted, search, after: query("after").parse().ok() }
    }

    fn is_everything(&self) -> bool {
        Wanted { sort: Sort::Newest, ..self.wanted.clone() } == Wanted::default()
    }
}

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
        view! { <option value=state.as_str() selected=asked.wanted.state == Some(*state)>{label}</option> }
    });
    let Wanted { provider, sort, from, to, .. } = asked.wanted;
    let providers = Provider::ALL.iter().map(|each| {
        view! { <option value=each.as_str() selected=provider == Some(*each)>{each.title()}</option> }
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
            <DayFields from to />
            <div class="field">
                <label for="sort">"Order"</label>
                <select class="input" id="sort" name="sort">
                    <option value="newest" selected=sort == Sort::Newest>"Newest first"</option>
                    <option value="oldest" selected=sort == Sort::Oldest>"Oldest first"</option>
                </select>
            </div>
            <button class="button" r#type="submit">"Find"</button>
        </form>
    }
}

#[component]
fn Found(found: Page, asked: Asked, may_answer: bool) -> impl IntoView {
    if found.orders.is_empty() {
        let waits = Wanted { state: Some(OrderState::Requested), sort: asked.wanted.sort, ..Wanted::default() };
        let sentence = if asked.is_everything() {
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
    };
    let page = |after| address(paths::ADMIN_ORDERS, &asked.wanted, &asked.search, after);
    let next = found.next.map(|after| view! { <a class="button" rel="next" href=page(Some(after))>{further}</a> });
    let start = asked.after.map(|_| view! { <a class="button" href=page(None)>{first}</a> });
    let rows: Vec<_> = found.orders.into_iter().map(|order| view! { <Row order answerable /> }).collect();
    view! {
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
        <nav class="cluster pager" aria-label="Pages">{start}{next}</nav>
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

/// The page, or the file, with what was chosen.
fn address(page: &str, wanted: &Wanted, search: &str, after: Option<After>) -> String {
    let after = after.map(|after| after.to_string());
    let (from, to) = (wanted.from.map(days::written), wanted.to.map(days::written));
    let query = [
        ("state", wanted.state.map_or("", OrderState::as_str)),
        ("provider", wanted.provider.map_or("", Provider::as_str)),
        ("from", from.as_deref().unwrap_or_default()),
        ("to", to.as_deref().unwrap_or_default()),
        ("sort", if wanted.sort == Sort::Newest { "" } else { wanted.sort.as_str() }),
        ("q", search),
        ("after", after.as_deref().unwrap_or_default()),
    ];
    paths::with_query(page, &query)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use time::OffsetDateTime;

    use super::*;

    #[test]
    fn where_a_page_begins_stands_in_the_address() {
        let id = "0190aaaa-0000-7000-8000-000000000001".parse().unwrap();
        let from = After { created_at: OffsetDateTime::UNIX_EPOCH, id };
        let wanted = Wanted {
            state: Some(OrderState::Requested),
            sort: Sort::Oldest,
            from: days::typed("2026-11-01"),
            ..Wanted::default()
        };
        let address = address(paths::ADMIN_ORDERS, &wanted, "a@b", Some(from));
        let query = format!("state=requested&from=2026-11-01&sort=oldest&q=a%40b&after=0.{id}");
        assert_eq!(address, format!("/admin/orders?{query}"));
        assert_eq!(format!("0.{id}").parse(), Ok(from));
        for nonsense in ["", "0", "x.y", "99999999999999999999999999999999999999.0", "0.1"] {
            assert!(nonsense.parse::<After>().is_err(), "{nonsense}");
        }
    }
}
