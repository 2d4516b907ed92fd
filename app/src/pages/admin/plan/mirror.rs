//! The plan's counterpart at Whop: how it stands there, and what can be done about it.

use atlas::plans::desk::{Mirror, Plan, Standing};
use domain::{MirrorState, Price};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::actions::admin::plan_mirror::{AdoptPlan, ComparePlan, RepairPlan};
use crate::flash::Form;
use crate::parts::field::{ErrorSummary, TextField};
use crate::parts::small::{Badge, CopyableId, Moment};
use crate::words;

#[component]
pub fn AtWhop(form: Form, plan: Plan) -> impl IntoView {
    let id = plan.id.to_string();
    let priced = matches!(plan.terms.price, Price::Fixed(_));
    let others = !plan.terms.other_prices.is_empty();
    let linked = plan.mirror.as_ref().is_some_and(|mirror| mirror.plan_id.is_some());
    let adoptable = priced && !linked && plan.standing != Standing::Retired;
    let sendable = !linked && priced && plan.standing == Standing::OnSale && plan.mirror.is_none();
    view! {
        <section class="stack" aria-labelledby="whop-title">
            <h2 id="whop-title">"At Whop"</h2>
            {match plan.mirror {
                Some(mirror) => view! { <Stands mirror id=id.clone() /> }.into_any(),
                None if !priced => view! { <p class="muted">"A plan by agreement is not sold at Whop, so it is not mirrored there."</p> }.into_any(),
                None => view! { <p class="muted">"Not mirrored yet. That is done when it is put on sale or saved while it is."</p> }.into_any(),
            }}
            {others.then(|| view! {
                <p class="muted">"The plan at Whop carries the main price. Who pays in another currency is charged that one’s price: each checkout names its own."</p>
            })}
            {sendable.then(|| view! { <Send id=id.clone() words="Mirror it now" /> })}
            {adoptable.then(|| view! { <Adopt form id /> })}
        </section>
    }
}

#[component]
fn Stands(mirror: Mirror, id: String) -> impl IntoView {
    let (state, tone) = words::mirror_state(mirror.state);
    let linked = mirror.plan_id.is_some();
    let sentence = match (mirror.state, linked) {
        (MirrorState::Waiting, _) => "It is saved here, and sent to Whop by itself.",
        (MirrorState::InStep, true) => "Whop says what stands here.",
        (MirrorState::InStep, false) => "There is none at Whop, and none is needed.",
        (MirrorState::Drifted, _) => "Whop says something else. Repairing sends what stands here.",
        (MirrorState::Failed, _) => "Whop did not take it. It is saved here; when the cause is mended, send it again.",
    };
    let send = match mirror.state {
        MirrorState::InStep => None,
        MirrorState::Drifted => Some("Repair"),
        MirrorState::Waiting | MirrorState::Failed => Some("Send again"),
    };
    view! {
        <p><Badge words=state tone />" "{sentence}</p>
        {mirror.note.map(|note| view! { <p class="notice" data-tone=tone.as_str()><bdi>{note}</bdi></p> })}
        <dl class="facts">
            {mirror.plan_id.map(|id| view! { <div><dt>"Plan"</dt><dd><CopyableId id what="plan’s id at Whop" /></dd></div> })}
            {mirror.product_id.map(|id| view! { <div><dt>"Product"</dt><dd><CopyableId id what="product’s id at Whop" /></dd></div> })}
            {mirror.version.map(|version| view! { <div><dt>"Shows version"</dt><dd>{version}</dd></div> })}
            {mirror.checked_at.map(|at| view! { <div><dt>"Whop said so"</dt><dd><Moment at /></dd></div> })}
        </dl>
        <div class="cluster">
            {send.map(|words| view! { <Send id=id.clone() words /> })}
            {linked.then(|| view! {
                <form method="post" action=ComparePlan::PATH>
                    <input r#type="hidden" name="plan" value=id />
                    <button class="button" r#type="submit">"Compare with Whop"</button>
                </form>
            })}
        </div>
    }
}

#[component]
fn Send(id: String, words: &'static str) -> impl IntoView {
    view! {
        <form method="post" action=RepairPlan::PATH>
            <input r#type="hidden" name="plan" value=id />
            <button class="button" r#type="submit">{words}</button>
        </form>
    }
}

#[component]
fn Adopt(form: Form, id: String) -> impl IntoView {
    let open = !form.errors.is_empty();
    view! {
        <details class="disclosure" open=open>
            <summary>"There is a plan at Whop already"</summary>
            <ErrorSummary form=form.clone() />
            <form class="form" method="post" action=AdoptPlan::PATH>
                <input r#type="hidden" name="plan" value=id />
                <TextField form name="whop_plan" label="Its id at Whop" autocomplete="off"
                    help="It begins with plan_. Its price and currency have to be those of this plan." />
                <div class="form-foot"><button class="button" r#type="submit">"Adopt it"</button></div>
            </form>
        </details>
    }
}
