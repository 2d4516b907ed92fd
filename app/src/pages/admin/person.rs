//! One person. First what answers "where are my credits?": who it is, what they have and owe, what is open, what moved last.
//! What can be done about them is folded away below.

mod apart;
mod balance;
mod credits;
mod facts;
mod holds;
mod movements;
mod orders;
mod role;
mod sessions;
mod view_as;

use atlas::by_hand::list as by_hand;
use atlas::ledger::statement;
use atlas::notes::{self, About};
use atlas::orders::list;
use atlas::people::desk::{self, Profile};
use atlas::people::roles::Support;
use atlas::people::sessions::of_others::{self, Listed as Session};
use atlas::{Error, Result};
use domain::Role;
use leptos::prelude::*;
use leptos_meta::Title;

use self::apart::{LimitForm, PathForm};
use self::balance::{Balance, Lots};
use self::credits::{MoveCredits, Moved};
use self::facts::Facts;
use self::holds::Holds;
use self::movements::Movements;
use self::orders::{LastOrders, OpenOrders};
use self::role::RoleForm;
use self::sessions::Sessions;
use self::view_as::ViewAs;
use super::for_staff;
use crate::flash::{self, Flash};
use crate::pages::{param, query};
use crate::parts::before_the_move::BeforeTheMove;
use crate::parts::notes::Notes;
use crate::parts::notice::FlashNotice;
use crate::request::Request;

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
    let open = list::open_of_buyer(db, &support, id).await?;
    let orders = list::of_buyer(db, &support, id, ORDERS_SHOWN).await?;
    let movements = statement::page(db, id, statement::Filter::default(), before).await?;
    let holds = desk::holds(db, &support, id).await?;
    let notes = notes::list(db, &support, About::Person(id)).await?;
    let moved_by_hand = by_hand::about(db, &support, id).await?;
    let before_the_move = atlas::legacy::history::newest(db, id).await?;
    let sessions = of_others::list(request.ctx(), &support, id, profile.role).await?;
    let flash = flash::take(&request).await?;
    let is_admin = support.person().role() >= Role::Admin;
    let rights = Rights {
        set: is_admin && profile.left_at.is_none(),
        act: is_admin && profile.left_at.is_none() && support.person().id() != id,
    };
    let (balance, lots) = (profile.balance, profile.lots.clone());
    Ok(view! {
        <Title text="Person · Atlas Credits" />
        <main id="main" class="page">
            <div class="page-head">
                <h1><bdi>{profile.known_as.clone()}</bdi></h1>
                <a class="button" href="#deeds-title">"What you can do"</a>
            </div>
            <FlashNotice flash=flash.clone() />
            <div class="figure-pair">
                <Balance balance lots=lots.clone() />
                <Facts profile=profile.clone() is_admin />
            </div>
            <Lots lots />
            <OpenOrders orders=open />
            <Movements movements of=id before />
            <Holds holds />
            <Notes about=About::Person(id) notes flash=flash.clone() />
            <LastOrders orders />
            <Moved deeds=moved_by_hand />
            <BeforeTheMove lines=before_the_move />
            <Deeds profile sessions rights flash />
        </main>
    }
    .into_any())
}

/// What whoever looks may do about this person.
#[derive(Clone, Copy)]
struct Rights {
    /// Set what holds for them alone; everybody may for themselves.
    set: bool,
    /// All else, which nobody does about themselves.
    act: bool,
}

#[component]
fn Deeds(profile: Profile, sessions: Vec<Session>, rights: Rights, flash: Option<Flash>) -> impl IntoView {
    let flash = flash.as_ref();
    let (person, debt) = (profile.id, profile.balance.debt);
    let viewable = rights.act && profile.role == Role::Buyer;
    view! {
        <section class="deeds" aria-labelledby="deeds-title">
            <h2 id="deeds-title">"What you can do"</h2>
            {viewable.then(|| view! { <ViewAs person form=view_as::form(flash) /> })}
            {rights.act.then(|| view! { <MoveCredits person debt form=credits::form(flash) /> })}
            <Sessions person sessions may_end=rights.act form=sessions::form(flash) />
            {rights.act.then(|| view! { <RoleForm profile=profile.clone() form=role::form(flash) /> })}
            {rights.set.then(|| view! {
                <PathForm profile=profile.clone() form=apart::path_form(flash) />
                <LimitForm profile form=apart::limit_form(flash) />
            })}
        </section>
    }
}
