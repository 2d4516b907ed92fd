//! Every plan: what it costs, whether it is on sale, how often it was sold, and how it stands at Whop.

use atlas::Result;
use atlas::people::roles::Admin;
use atlas::plans::desk::{self, Plan, Standing};
use domain::paths;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;

use super::for_admin;
use super::plan_new::bonus_credits;
use crate::actions::admin::plan_sale::MovePlan;
use crate::flash;
use crate::parts::notice::FlashNotice;
use crate::parts::small::Badge;
use crate::request::Request;
use crate::words;

#[component]
pub fn Plans() -> impl IntoView {
    view! { <Suspense>{Suspend::new(for_admin(draw))}</Suspense> }
}

async fn draw(request: Request, admin: Admin) -> Result<AnyView> {
    let plans = desk::list(&request.ctx().db, &admin).await?;
    let flash = flash::take(&request).await?;
    let on_sale = plans.iter().filter(|plan| plan.standing == Standing::OnSale).count();
    let lead = match on_sale {
        0 => "None is on sale: nobody can buy credits.".to_owned(),
        1 => "One is on sale.".to_owned(),
        many => format!("{many} are on sale."),
    };
    Ok(view! {
        <Title text="Plans · Atlas Credits" />
        <main id="main" class="page">
            <div class="page-head">
                <div><h1>"Plans"</h1><p class="page-lead">{lead}</p></div>
                <a class="button button--primary" href=paths::ADMIN_PLAN_NEW>"New plan"</a>
            </div>
            <FlashNotice flash />
            <All plans />
        </main>
    }
    .into_any())
}

#[component]
fn All(plans: Vec<Plan>) -> impl IntoView {
    if plans.is_empty() {
        return view! {
            <div class="empty">
                <h2>"No plans yet"</h2>
                <p>"Credits are sold in plans. "<a href=paths::ADMIN_PLAN_NEW>"Make the first one"</a></p>
            </div>
        }
        .into_any();
    }
    let last = plans.iter().filter(|plan| plan.standing != Standing::Retired).count();
    let rows: Vec<_> = plans
        .into_iter()
        .enumerate()
        .map(|(place, plan)| {
            let ways = Ways { up: place > 0 && place < last, down: place + 1 < last };
            view! { <Row plan ways /> }
        })
        .collect();
    view! {
        <table class="table table--dense">
            <caption class="visually-hidden">"Plans, in the order of the page that buyers see"</caption>
            <thead>
                <tr>
                    <th scope="col">"Plan"</th>
                    <th scope="col" class="number">"Credits"</th>
                    <th scope="col" class="number">"Price"</th>
                    <th scope="col" class="number">"Per 1,000"</th>
                    <th scope="col">"Sale"</th>
                    <th scope="col" class="number">"Sold"</th>
                    <th scope="col">"At Whop"</th>
                    <th scope="col">"Place"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

/// Where it can be moved to.
#[derive(Clone, Copy)]
struct Ways {
    up: bool,
    down: bool,
}

#[component]
fn Row(plan: Plan, ways: Ways) -> impl IntoView {
    let per_thousand = plan.terms.price.per_thousand(plan.terms.credits);
    let (standing, tone) = words::plan_standing(plan.standing);
    let mirror = plan.mirror.map(|mirror| words::mirror_state(mirror.state));
    let id = plan.id.to_string();
    let main = words::price(plan.terms.price);
    let price = match plan.terms.other_prices.len() {
        0 => main,
        others => format!("{main} and {others} more"),
    };
    let name = plan.terms.name.clone();
    let up = ways.up.then(|| view! { <Shift plan=id.clone() way="up" words="Up" name=name.clone() /> });
    let down = ways.down.then(|| view! { <Shift plan=id.clone() way="down" words="Down" name=name.clone() /> });
    view! {
        <tr>
            <th scope="row"><a href=paths::admin_plan(plan.id)><bdi>{name.clone()}</bdi></a></th>
            <td data-label="Credits" class="number">{words::with_bonus(plan.terms.credits, bonus_credits(&plan.terms))}</td>
            <td data-label="Price" class="number">{price}</td>
            <td data-label="Per 1,000" class="number">{per_thousand.map_or_else(|| "–".to_owned(), |price| price.to_string())}</td>
            <td data-label="Sale"><Badge words=standing tone /></td>
            <td data-label="Sold" class="number">{plan.sold}</td>
            <td data-label="At Whop">
                {match mirror {
                    Some((words, tone)) => view! { <Badge words tone /> }.into_any(),
                    None => view! { <span class="muted">"Not there"</span> }.into_any(),
                }}
            </td>
            <td data-label="Place"><div class="cluster">{up}{down}</div></td>
        </tr>
    }
}

#[component]
fn Shift(plan: String, way: &'static str, words: &'static str, name: String) -> impl IntoView {
    view! {
        <form method="post" action=MovePlan::PATH>
            <input r#type="hidden" name="plan" value=plan />
            <input r#type="hidden" name="way" value=way />
            <button class="button button--plain" r#type="submit" aria-label=format!("{words}: {name}")>{words}</button>
        </form>
    }
}
