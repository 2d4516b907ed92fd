//! What you have, what you can buy, what happened last.

mod balance;
mod currency;
pub mod plans;

use std::sync::Arc;

use atlas::Result;
use atlas::ledger::statement::overview::{Span, overview};
use atlas::orders::{list, route};
use atlas::people::Owner;
use atlas::plans::{Offer, catalogue};
use domain::{PlanId, paths};
use leptos::prelude::*;
use leptos_meta::Title;

use self::balance::BalanceSection;
use self::currency::{CurrencyChooser, shown};
use self::plans::{PlanSheet, Stopped};
use crate::flash::{self, form_of};
use crate::pages::{for_owner, query};
use crate::parts::membership::MembershipNotice;
use crate::parts::notice::FlashNotice;
use crate::parts::small::Badge;
use crate::parts::statement_table::StatementTable;
use crate::request::Request;
use crate::{actions::buy::REQUEST_FORM, words};

const HISTORY_DAYS: u8 = 30;
const RECENT_LINES: usize = 5;

#[component]
pub fn CreditsPage() -> impl IntoView {
    let wanted: Option<PlanId> = query("plan").parse().ok();
    let asked = query("currency");
    let plan = wanted.map(|plan| plan.to_string()).unwrap_or_default();
    let back_to = paths::with_query(paths::CREDITS, &[("plan", &plan), ("currency", &asked)]);
    view! {
        <Suspense>
            {Suspend::new(async move {
                for_owner(&back_to, |request, person| draw(request, person, wanted, asked)).await
            })}
        </Suspense>
    }
}

/// `wanted`: the plan that a link names. One that is not listed is shown to whoever has it. `asked`: in which currency.
async fn draw(request: Request, person: Owner, wanted: Option<PlanId>, asked: String) -> Result<AnyView> {
    let db = &request.ctx().db;
    let span = Span { today: request.ctx().now().date(), days: HISTORY_DAYS, lines: RECENT_LINES };
    let overview = overview(db, person.id(), span).await?;
    let shelf = request.site().shelf.look(db).await?;
    let offers = with_wanted(&request, shelf.offers, wanted).await?;
    let shown = shown(&offers, &asked);
    let currency = shown.as_ref().map(|shown| shown.currency);
    let chooser = shelf.switches.stopped.is_none().then_some(shown).flatten();
    let providers = &request.ctx().providers;
    let path = route::of(providers, shelf.switches.rules(providers), &person);
    let waiting = if person.orders_wait() { list::unfinished(db, &person).await? } else { vec![] };
    let standing = atlas::memberships::check::look(request.ctx(), &person).await?;
    let open = match &request.ctx().membership_rule {
        Some(rule) => {
            offers.iter().filter(|offer| !rule.asks_for(&offer.slug)).map(|offer| offer.name.clone()).collect()
        }
        None => vec![],
    };
    let flash = flash::take(&request).await?;
    let form = form_of(flash.as_ref(), REQUEST_FORM);
    let waiting = waiting
        .into_iter()
        .map(|order| {
            let (state, tone) = words::order_state(order.state);
            view! {
                <p class="notice" data-tone="wait">
                    <Badge words=state tone />
                    {format!(" {}, {} credits. ", order.plan_name, order.credits)}
                    <a href=paths::payment_status(order.id)>"See how it stands"</a>
                </p>
            }
        })
        .collect::<Vec<_>>();
    Ok(view! {
        <Title text="Your credits · Atlas Credits" />
        <main id="main" class="page">
            <div class="page-head"><h1>"Credits"</h1></div>
            <FlashNotice flash />
            {waiting}
            <BalanceSection balance=person.balance() history=overview.history />
            <section aria-labelledby="plans-title" id="plans">
                <div class="section-head">
                    <h2 id="plans-title">"Add credits"</h2>
                    {chooser.map(|shown| view! { <CurrencyChooser shown wanted /> })}
                </div>
                {match shelf.switches.stopped {
                    Some(stopped) => view! { <Stopped message=stopped.message /> }.into_any(),
                    None => view! {
                        <MembershipNotice standing open />
                        <PlanSheet offers currency path form />
                    }
                    .into_any(),
                }}
            </section>
            <section aria-labelledby="recent-title">
                <div class="section-head">
                    <h2 id="recent-title">"Last movements"</h2>
                    <a href=paths::TRANSACTIONS>"All transactions"</a>
                </div>
                {if overview.recent.is_empty() {
                    view! {
                        <div class="empty">
                            <h3>"Nothing has moved yet"</h3>
                            <p>"Your first credits will stand here. "<a href="#plans">"Choose a plan"</a></p>
                        </div>
                    }
                    .into_any()
                } else {
                    view! { <StatementTable lines=overview.recent caption="The last movements of your credits" /> }.into_any()
                }}
            </section>
        </main>
    }
    .into_any())
}

async fn with_wanted(request: &Request, listed: Arc<[Offer]>, wanted: Option<PlanId>) -> Result<Arc<[Offer]>> {
    let Some(wanted) = wanted.filter(|wanted| listed.iter().all(|offer| offer.plan != *wanted)) else {
        return Ok(listed);
    };
    Ok(catalogue::find(&request.ctx().db, wanted).await?.into_iter().chain(listed.iter().cloned()).collect())
}
