//! What another admin wants to do and may not do alone: confirmed here, or declined.

use atlas::by_hand::list::{self as by_hand, Listed};
use atlas::orders::refund::list::{self, Waiting};
use atlas::orders::refund::{Preview, preview_waiting};
use atlas::people::roles::Admin;
use atlas::{Error, Result};
use domain::{CreditDeedKind, PersonId, RefundRequestId, paths};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;

use super::for_admin;
use super::refund::Outcome;
use crate::actions::admin::credits::{ConfirmCredits, DeclineCredits, WithdrawCredits};
use crate::actions::admin::refunds::{ConfirmRefund, DeclineRefund, WithdrawRefund};
use crate::actions::admin::second_word::DECLINE_FORM;
use crate::flash::{self, Form, form_of};
use crate::pages::query;
use crate::parts::notice::FlashNotice;
use crate::parts::small::{Icon, Moment};
use crate::request::Request;

#[component]
pub fn Approvals() -> impl IntoView {
    let look = query("look");
    view! { <Suspense>{Suspend::new(for_admin(move |request, admin| draw(request, admin, look)))}</Suspense> }
}

async fn draw(request: Request, admin: Admin, look: String) -> Result<AnyView> {
    let refunds = list::waiting(&request.ctx().db, &admin).await?;
    let flash = flash::take(&request).await?;
    let form = form_of(flash.as_ref(), DECLINE_FORM);
    let me = admin.person().id();
    let deeds = by_hand::waiting(&request.ctx().db, &admin).await?;
    let looked_at = look.parse().ok();
    let seen = match looked_at {
        Some(id) => Some(seen(&request, &admin, id).await?),
        None => None,
    };
    let nothing = refunds.is_empty() && deeds.is_empty();
    let deeds = deeds.into_iter().map(|deed| view! { <DeedWaits deed me form=form.clone() /> }).collect_view();
    let refunds = refunds.into_iter().map(|refund| {
        let seen = seen.clone().filter(|_| looked_at == Some(refund.id));
        view! { <RefundWaits refund me form=form.clone() seen /> }
    });
    let refunds = refunds.collect_view();
    Ok(view! {
        <Title text="Approvals · Atlas Credits" />
        <main id="main" class="page page--reading">
            <div class="page-head">
                <div>
                    <h1>"Approvals"</h1>
                    <p class="page-lead">"Above a limit two admins decide: one asks, another confirms."</p>
                </div>
            </div>
            <FlashNotice flash />
            {nothing.then(|| view! { <p class="muted">"Nothing waits for a second admin."</p> })}
            {refunds}
            {deeds}
        </main>
    }
    .into_any())
}

/// What a refund would do now, or why it can't be done any more.
type Seen = std::result::Result<Preview, String>;

async fn seen(request: &Request, admin: &Admin, id: RefundRequestId) -> Result<Seen> {
    match preview_waiting(request.ctx(), admin, id).await {
        Ok(seen) => Ok(Ok(seen)),
        Err(Error::Refused(why)) => Ok(Err(why.to_string())),
        Err(Error::Invalid(errors)) => Ok(Err(errors.iter().map(|(_, why)| why).collect())),
        Err(Error::NotFound) => Ok(Err("It waits no more.".to_owned())),
        Err(error) => Err(error),
    }
}

#[component]
fn RefundWaits(refund: Waiting, me: PersonId, form: Form, seen: Option<Seen>) -> impl IntoView {
    let id = refund.id.to_string();
    let look = paths::with_query(paths::ADMIN_APPROVALS, &[("look", &id)]);
    let title = format!("Refund {} to {}", refund.amount, refund.buyer_email);
    let title_id = format!("waits-{id}");
    let labelled_by = title_id.clone();
    view! {
        <section class="stack" aria-labelledby=labelled_by>
            <h2 id=title_id>{title}</h2>
            <dl class="facts">
                <div><dt>"Order"</dt><dd><a href=paths::admin_order(refund.order)>{format!("{}, {}", refund.plan_name, refund.order.short())}</a></dd></div>
                <div><dt>"Reason"</dt><dd><bdi>{refund.reason}</bdi></dd></div>
                <div><dt>"Asked for by"</dt><dd><bdi>{refund.asked_by}</bdi>", "<Moment at=refund.created_at /></dd></div>
            </dl>
            {match seen {
                Some(Ok(seen)) => view! { <Outcome seen /> }.into_any(),
                Some(Err(why)) => view! { <div class="notice" data-tone="wait"><p>{why}</p></div> }.into_any(),
                None => view! { <p><a href=look>"Show what it would do now"</a></p> }.into_any(),
            }}
            <Decide id mine={refund.asked_by_id == me} form doors=REFUND />
        </section>
    }
}

#[component]
fn DeedWaits(deed: Listed, me: PersonId, form: Form) -> impl IntoView {
    let id = deed.id.to_string();
    let title = match deed.kind {
        CreditDeedKind::Grant => format!("Grant {} credits to {}", deed.credits, deed.person_email),
        CreditDeedKind::Take => format!("Take {} credits from {}", deed.credits, deed.person_email),
        CreditDeedKind::Forgive => format!("Forgive {} credits that {} owes", deed.credits, deed.person_email),
        CreditDeedKind::Approve => format!("Approve {} credits for {}", deed.credits, deed.person_email),
    };
    let title_id = format!("waits-{id}");
    let labelled_by = title_id.clone();
    let (place, name) = match deed.order {
        Some(order) => (paths::admin_order(order), "The order"),
        None => (paths::admin_person(deed.person), "The person"),
    };
    view! {
        <section class="stack" aria-labelledby=labelled_by>
            <h2 id=title_id>{title}</h2>
            <dl class="facts">
                <div><dt>"About"</dt><dd><a href=place>{name}</a></dd></div>
                <div><dt>"Reason"</dt><dd><bdi>{deed.reason}</bdi></dd></div>
                <div><dt>"Asked for by"</dt><dd><bdi>{deed.asked_by}</bdi>", "<Moment at=deed.created_at /></dd></div>
            </dl>
            <Decide id mine={deed.asked_by_id == me} form doors=CREDITS />
        </section>
    }
}

/// Where the answers go.
#[derive(Debug, Clone, Copy)]
struct Doors {
    confirm: &'static str,
    decline: &'static str,
    withdraw: &'static str,
}

const REFUND: Doors =
    Doors { confirm: ConfirmRefund::PATH, decline: DeclineRefund::PATH, withdraw: WithdrawRefund::PATH };
const CREDITS: Doors =
    Doors { confirm: ConfirmCredits::PATH, decline: DeclineCredits::PATH, withdraw: WithdrawCredits::PATH };

/// The two answers. Only a no wants a reason.
#[component]
fn Decide(id: String, mine: bool, form: Form, doors: Doors) -> impl IntoView {
    if mine {
        return view! {
            <p class="muted">"You asked for it, so another admin decides."</p>
            <form method="post" action=doors.withdraw>
                <input r#type="hidden" name="request_id" value=id />
                <button class="button" r#type="submit">"Withdraw"</button>
            </form>
        }
        .into_any();
    }
    let is_this = form.value("of") == id;
    let error = form.error("reason").filter(|_| is_this);
    let field = format!("why-{id}");
    let note = error.is_some().then(|| format!("{field}-error"));
    let typed = if is_this { form.value("reason") } else { String::new() };
    view! {
        <form class="form" method="post" action=doors.confirm>
            <input r#type="hidden" name="request_id" value=id />
            <div class="field">
                <label for=field.clone()>"Reason, if you decline"</label>
                <input class="input" id=field name="reason" r#type="text" autocomplete="off" value=typed
                    aria-invalid=error.is_some().then_some("true") aria-describedby=note.clone() />
                {error.map(|error| view! { <p class="field-error" id=note><Icon name="alert" />{error}</p> })}
            </div>
            <div class="form-foot">
                <button class="button button--danger" r#type="submit">"Confirm"</button>
                <button class="button" r#type="submit" formaction=doors.decline>"Decline"</button>
            </div>
        </form>
    }
    .into_any()
}
