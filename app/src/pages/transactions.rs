//! The statement.

use atlas::Result;
use atlas::ledger::statement::{Direction, Filter, Page, page};
use atlas::people::Owner;
use domain::paths;
use leptos::prelude::*;
use leptos_meta::Title;

use crate::flash;
use crate::pages::{for_owner, query};
use crate::parts::before_the_move::BeforeTheMove;
use crate::parts::days::{self, DayFields};
use crate::parts::notice::FlashNotice;
use crate::parts::small::Icon;
use crate::parts::statement_table::StatementTable;
use crate::request::Request;

/// What the address asks for. A value that doesn't read is as good as none.
#[derive(Clone)]
struct Asked {
    filter: Filter,
    before: Option<i64>,
}

#[component]
pub fn Transactions() -> impl IntoView {
    let asked = Asked {
        filter: Filter {
            direction: Direction::parse(&query("direction")),
            from: days::typed(&query("from")),
            to: days::typed(&query("to")),
        },
        before: query("before").parse().ok(),
    };
    let page = for_owner(paths::TRANSACTIONS, move |request, person| draw(request, person, asked));
    view! { <Suspense>{Suspend::new(page)}</Suspense> }
}

async fn draw(request: Request, person: Owner, asked: Asked) -> Result<AnyView> {
    let found = page(&request.ctx().db, person.id(), asked.filter, asked.before).await?;
    // At the end of what is told in full.
    let is_last = found.older.is_none() && asked.filter == Filter::default();
    let before_the_move =
        if is_last { atlas::legacy::history::newest(&request.ctx().db, person.id()).await? } else { Vec::new() };
    let flash = flash::take(&request).await?;
    Ok(view! {
        <Title text="Transactions · Atlas Credits" />
        <main id="main" class="page">
            <div class="page-head">
                <h1>"Transactions"</h1>
                <a class="button" href=address(paths::TRANSACTIONS_CSV, asked.filter, None) download="">
                    <Icon name="download" />"CSV"
                </a>
            </div>
            <FlashNotice flash />
            <Filters filter=asked.filter />
            <Found found asked />
            <BeforeTheMove lines=before_the_move />
        </main>
    }
    .into_any())
}

#[component]
fn Filters(filter: Filter) -> impl IntoView {
    let choice = |direction: Direction, label: &'static str| {
        view! { <option value=direction.as_str() selected=direction == filter.direction>{label}</option> }
    };
    view! {
        <form class="filters" method="get" action=paths::TRANSACTIONS role="search" aria-label="Filter the statement">
            <div class="field">
                <label for="direction">"Show"</label>
                <select class="input" id="direction" name="direction">
                    {choice(Direction::Both, "Everything")}
                    {choice(Direction::In, "Credits in")}
                    {choice(Direction::Out, "Credits out")}
                </select>
            </div>
            <DayFields from=filter.from to=filter.to />
            <button class="button" r#type="submit">"Filter"</button>
        </form>
    }
}

#[component]
fn Found(found: Page, asked: Asked) -> impl IntoView {
    if found.lines.is_empty() {
        let filtered = asked.filter != Filter::default() || asked.before.is_some();
        return if filtered {
            view! {
                <div class="empty">
                    <h2>"Nothing matches"</h2>
                    <p>"No movement fits this filter. "<a href=paths::TRANSACTIONS>"Show everything"</a></p>
                </div>
            }
            .into_any()
        } else {
            view! {
                <div class="empty">
                    <h2>"Nothing has moved yet"</h2>
                    <p>"Every credit that comes or goes will stand here. "<a href=paths::CREDITS>"Add credits"</a></p>
                </div>
            }
            .into_any()
        };
    }
    let newest = asked.before.map(|_| {
        view! {
            <a class="button" href=address(paths::TRANSACTIONS, asked.filter, None)>"Newest"</a>
        }
    });
    let older = found.older.map(|before| {
        view! {
            <a class="button" rel="next" href=address(paths::TRANSACTIONS, asked.filter, Some(before))>"Older"</a>
        }
    });
    view! {
        <StatementTable lines=found.lines caption="Every movement of your credits, newest first" />
        <nav class="cluster pager" aria-label="Pages">{newest}{older}</nav>
    }
    .into_any()
}

/// The page (or the file) with a filter.
fn address(page: &str, filter: Filter, before: Option<i64>) -> String {
    let mut query = Vec::new();
    if filter.direction != Direction::Both {
        query.push(format!("direction={}", filter.direction.as_str()));
    }
    query.extend(filter.from.map(|day| format!("from={}", days::written(day))));
    query.extend(filter.to.map(|day| format!("to={}", days::written(day))));
    query.extend(before.map(|before| format!("before={before}")));
    if query.is_empty() { page.to_owned() } else { format!("{page}?{}", query.join("&")) }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn a_filter_stands_in_the_address() {
        let filter = Filter { direction: Direction::In, from: Some(date!(2026 - 11 - 01)), to: None };
        assert_eq!(address("/transactions", filter, Some(7)), "/transactions?direction=in&from=2026-11-01&before=7");
        assert_eq!(address("/transactions", Filter::default(), None), "/transactions");
    }
}
