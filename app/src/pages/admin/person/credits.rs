//! Credits moved by hand: the form, and what was moved so before.

use atlas::by_hand::list::Listed;
use atlas::orders::FormKey;
use domain::{Credits, PersonId};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::actions::admin::credits::{CREDITS_FORM, ForgiveDebt, GrantCredits, TakeCredits};
use crate::flash::{Flash, Form, form_of};
use crate::parts::field::{ErrorSummary, TextField};
use crate::parts::folded::Folded;
use crate::parts::records::{Column, Record, Records};
use crate::parts::small::{Badge, Moment};
use crate::words;

pub fn form(flash: Option<&Flash>) -> Form {
    form_of(flash, CREDITS_FORM)
}

#[component]
pub fn MoveCredits(person: PersonId, debt: Credits, form: Form) -> impl IntoView {
    const PREFIX: &str = "by-hand-";
    let owes = debt > Credits::ZERO;
    let title = if owes { "Grant or take credits, or forgive a debt" } else { "Grant or take credits" };
    view! {
        <Folded title=title open=form.came_back()>
            <ErrorSummary form=form.clone() prefix=PREFIX />
            <form class="form" method="post" action=GrantCredits::PATH>
                <input r#type="hidden" name="person" value=person.to_string() />
                <input r#type="hidden" name="key" value=FormKey::fresh().as_str().to_owned() />
                <TextField form=form.clone() name="credits" label="Credits" autocomplete="off" prefix=PREFIX
                    help="More than 100,000 take a second admin." />
                <TextField form=form.clone() name="description" label="What they read (optional)" autocomplete="off" prefix=PREFIX
                    optional=true help="Stands in their statement, and in the mail that tells them." />
                <TextField form name="reason" label="Reason for moving credits" autocomplete="off" prefix=PREFIX help="Kept in the audit." />
                <div class="form-foot">
                    <button class="button" r#type="submit">"Grant credits"</button>
                    <button class="button button--danger" r#type="submit" formaction=TakeCredits::PATH>"Take credits"</button>
                    {owes.then(|| view! {
                        <button class="button" r#type="submit" formaction=ForgiveDebt::PATH>"Forgive debt"</button>
                    })}
                </div>
            </form>
        </Folded>
    }
}

#[component]
pub fn Moved(deeds: Vec<Listed>) -> impl IntoView {
    const COLUMNS: &[Column] = &[
        Column::Text("Deed"),
        Column::Number("Credits"),
        Column::Text("State"),
        Column::Text("Why"),
        Column::Text("By"),
        Column::Text("When"),
    ];
    let records = deeds.into_iter().map(|deed| {
        let (state, tone) = words::credit_deed_state(deed.state);
        let second = deed.decided_by.map(|by| format!(", {by}"));
        let refusal = deed.refusal.map(|why| view! { <p class="muted">"Declined: "<bdi>{why}</bdi></p> }.into_any());
        Record {
            cells: vec![
                words::credit_deed(deed.kind).into_any(),
                deed.credits.to_string().into_any(),
                view! { <Badge words=state tone /> }.into_any(),
                view! { <bdi>{deed.reason}</bdi> }.into_any(),
                view! { <bdi>{deed.asked_by}{second}</bdi> }.into_any(),
                view! { <Moment at=deed.created_at /> }.into_any(),
            ],
            under: refusal,
        }
    });
    view! { <Records id="deeds-by-hand-title" title="Moved by hand" columns=COLUMNS records=records.collect() /> }
}
