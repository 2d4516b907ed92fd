//! One person: what they have and owe, where it came from, and what an admin can do about their account.

mod apart;
mod credits;
mod holds;
mod view_as;

use atlas::by_hand::list as by_hand;
use atlas::ledger::statement::{self, Line};
use atlas::notes::{self, About};
use atlas::orders::list::{self, Listed};
use atlas::people::desk::{self, Lot, Profile};
use atlas::people::roles::Support;
use atlas::{Error, Result};
use domain::{Credits, Role, paths};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;

use self::apart::Apart;
use self::credits::CreditsByHand;
use self::holds::Holds;
use self::view_as::ViewAs;
use super::for_staff;
use crate::actions::admin::credits::CREDITS_FORM;
use crate::actions::admin::people::{ChangeRole, EndSessionsOf, ROLE_FORM};
use crate::actions::admin::viewing::VIEW_FORM;
use crate::flash::{self, Form, form_of};
use crate::pages::{param, query};
use crate::parts::before_the_move::BeforeTheMove;
use crate::parts::field::{ErrorSummary, TextField};
use crate::parts::notes::Notes;
use crate::parts::notice::FlashNotice;
use crate::parts::records::{Column, Record, Records};
use crate::parts::small::{Badge, CopyableId, Moment, SignedCredits};
use crate::request::Request;
use crate::words;

const ORDERS_SHOWN: i64 = 20;

#[component]
pub fn PersonPage() -> impl IntoView {
    let (id, before) = (param("id"), query("before").parse().ok());
    let page = for_staff(move |request, support| draw(request, support, id, before));
    view! { <Suspense>{Suspend::new(page)}</Suspense> }
}

async fn draw(request: Request, support: Support, id: String, before: Option<i64>) -> Result<AnyView> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let db = &request.ctx().db;
    let profile = desk::profile(db, &support, id).await?;
    let orders = list::of_buyer(db, &support, id, ORDERS_SHOWN).await?;
    let movements = statement::page(db, id, statement::Filter::default(), before).await?;
    let holds = desk::holds(db, &support, id).await?;
    let notes = notes::list(db, &support, About::Person(id)).await?;
    let deeds = by_hand::about(db, &support, id).await?;
    let before_the_move = atlas::legacy::history::newest(db, id).await?;
    let flash = flash::take(&request).await?;
    let credits_form = form_of(flash.as_ref(), CREDITS_FORM);
    let form = form_of(flash.as_ref(), ROLE_FORM);
    let view_form = form_of(flash.as_ref(), VIEW_FORM);
    let is_other = support.person().id() != id;
    let may_set = support.person().role() >= Role::Admin && profile.left_at.is_none();
    let may_act = may_set && is_other;
    let viewable = may_act && profile.role == Role::Buyer;
    let movable = may_act.then_some((id, profile.balance.debt));
    let here = paths::admin_person(id);
    let older = movements.older.map(|before| {
        let href = paths::with_query(&here, &[("before", &before.to_string())]);
        view! { <a class="button" rel="next" href=href>"Older movements"</a> }
    });
    let lots = profile.lots.clone();
    Ok(view! {
        <Title text="Person · Atlas Credits" />
        <main id="main" class="page">
            <div class="page-head"><h1><bdi>{profile.known_as.clone()}</bdi></h1></div>
            <FlashNotice flash=flash.clone() />
            <Facts profile=profile.clone() />
            <Notes about=About::Person(id) notes flash=flash.clone() />
            <Lots lots />
            <Holds holds />
            <Movements lines=movements.lines />
            <nav class="cluster pager" aria-label="Movements">
                {before.map(|_| view! { <a class="button" href=here>"Newest movements"</a> })}
                {older}
            </nav>
            <Orders orders />
            <BeforeTheMove lines=before_the_move />
            {viewable.then(|| view! { <ViewAs person=id form=view_form /> })}
            {may_set.then(|| view! { <Apart profile=profile.clone() flash /> })}
            <CreditsByHand form=credits_form of=movable deeds />
            {may_act.then(|| view! { <Deeds profile form /> })}
        </main>
    }
    .into_any())
}

#[component]
fn Facts(profile: Profile) -> impl IntoView {
    let balance = profile.balance;
    view! {
        <section class="stack" aria-labelledby="facts-title">
            <h2 id="facts-title">"Who it is"</h2>
            <dl class="facts">
                <div><dt>"Id"</dt><dd><CopyableId id=profile.id.to_string() what="person’s id" /></dd></div>
                {(!profile.name.is_empty()).then(|| view! { <div><dt>"Name"</dt><dd><bdi>{profile.name}</bdi></dd></div> })}
                <div><dt>"Role"</dt><dd>{words::role(profile.role)}</dd></div>
                <div><dt>"Can spend now"</dt><dd>{format!("{} credits", balance.available())}</dd></div>
                {(balance.held > Credits::ZERO).then(|| view! {
                    <div><dt>"Held"</dt><dd>{format!("{} credits", balance.held)}</dd></div>
                })}
                {(balance.debt > Credits::ZERO).then(|| view! {
                    <div><dt>"Owes"</dt><dd>{format!("{} credits", balance.debt)}</dd></div>
                })}
                <div><dt>"Since"</dt><dd><Moment at=profile.since /></dd></div>
                {profile.left_at.map(|at| view! { <div><dt>"Left"</dt><dd><Moment at /></dd></div> })}
                <div><dt>"Email"</dt><dd>{if profile.email_is_confirmed { "Confirmed" } else { "Not confirmed" }}</dd></div>
                <div><dt>"Second factor"</dt><dd>{if profile.has_second_factor { "On" } else { "Off" }}</dd></div>
                {profile.payment_path.map(|path| view! { <div><dt>"Payment path"</dt><dd>{path.title()}", set for them"</dd></div> })}
                {profile.daily_credits_max.map(|limit| view! {
                    <div><dt>"May buy"</dt><dd>{format!("{limit} credits in 24 hours")}</dd></div>
                })}
                <div><dt>"Signed in"</dt><dd>{words::signed_in_at(profile.sessions)}</dd></div>
            </dl>
        </section>
    }
}

#[component]
fn Lots(lots: Vec<Lot>) -> impl IntoView {
    const COLUMNS: &[Column] = &[
        Column::Text("Origin"),
        Column::Number("Left"),
        Column::Number("Held"),
        Column::Text("Expires"),
        Column::Text("Order"),
    ];
    let records = lots.into_iter().map(|lot| {
        Record::from(vec![
            words::lot_source(lot.source).into_any(),
            lot.remaining.to_string().into_any(),
            (lot.held > Credits::ZERO).then(|| lot.held.to_string()).into_any(),
            match lot.expires_at {
                Some(at) => view! { <Moment at /> }.into_any(),
                None => "never".into_any(),
            },
            lot.order.map(|order| view! { <a href=paths::admin_order(order)>{order.short()}</a> }).into_any(),
        ])
    });
    view! {
        <Records id="lots-title" title="What is left, in the order of spending" columns=COLUMNS records=records.collect()
            none="There are no credits in the wallet." />
    }
}

#[component]
fn Movements(lines: Vec<Line>) -> impl IntoView {
    const COLUMNS: &[Column] = &[
        Column::Text("What"),
        Column::Number("Credits"),
        Column::Number("Owed"),
        Column::Number("Balance"),
        Column::Text("Order"),
        Column::Text("When"),
    ];
    let records = lines.into_iter().map(|line| {
        Record::from(vec![
            view! { {words::transaction_kind(line.kind)}<span class="muted">" "<bdi>{line.description}</bdi></span> }
                .into_any(),
            view! { <SignedCredits amount=line.net /> }.into_any(),
            (line.debt_change != Credits::ZERO).then(|| line.debt_change.signed()).into_any(),
            line.balance_after.to_string().into_any(),
            line.order.map(|order| view! { <a href=paths::admin_order(order)>{order.short()}</a> }).into_any(),
            view! { <Moment at=line.at /> }.into_any(),
        ])
    });
    view! {
        <Records id="moved-title" title="What moved, newest first" columns=COLUMNS records=records.collect()
            none="Nothing has moved yet." />
    }
}

#[component]
fn Orders(orders: Vec<Listed>) -> impl IntoView {
    const COLUMNS: &[Column] = &[
        Column::Text("Order"),
        Column::Text("Plan"),
        Column::Number("Credits"),
        Column::Number("Price"),
        Column::Text("State"),
        Column::Text("Made"),
    ];
    let records = orders.into_iter().map(|order| {
        let (state, tone) = words::order_state(order.state);
        Record::from(vec![
            view! { <a href=paths::admin_order(order.id)>{order.id.short()}</a> }.into_any(),
            order.plan_name.into_any(),
            order.credits.to_string().into_any(),
            words::price(order.price).into_any(),
            view! { <Badge words=state tone /> }.into_any(),
            view! { <Moment at=order.created_at /> }.into_any(),
        ])
    });
    view! {
        <Records id="orders-title" title="The last orders" columns=COLUMNS records=records.collect()
            none="They have ordered nothing." />
    }
}

#[component]
fn Deeds(profile: Profile, form: Form) -> impl IntoView {
    let id = profile.id.to_string();
    let chosen = form.value("role");
    let roles = Role::ALL.iter().map(|role| {
        let selected = if chosen.is_empty() { *role == profile.role } else { chosen == role.as_str() };
        view! { <option value=role.as_str() selected=selected>{words::role(*role)}</option> }
    });
    view! {
        <section class="stack" aria-labelledby="deeds-title">
            <h2 id="deeds-title">"Account"</h2>
            <form method="post" action=EndSessionsOf::PATH>
                <input r#type="hidden" name="person" value=id.clone() />
                <button class="button" r#type="submit">"Sign them out everywhere"</button>
            </form>
            <ErrorSummary form=form.clone() />
            <form class="form" method="post" action=ChangeRole::PATH>
                <input r#type="hidden" name="person" value=id />
                <div class="field">
                    <label for="role">"Role"</label>
                    <select class="input" id="role" name="role">{roles.collect_view()}</select>
                </div>
                <TextField form name="reason" label="Reason" autocomplete="off" help="Kept in the audit." />
                <div class="form-foot"><button class="button" r#type="submit">"Change the role"</button></div>
            </form>
            <p>
                <a href=paths::with_query(paths::ADMIN_AUDIT, &[("who", &profile.id.to_string())])>
                    "What they did, and what was done about them"
                </a>
            </p>
        </section>
    }
}
