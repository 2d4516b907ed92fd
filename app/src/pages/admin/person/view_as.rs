//! Looking at the person's own pages, with a reason.

use atlas::people::viewing::VIEWING_LASTS;
use domain::PersonId;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::actions::admin::viewing::{StartViewing, VIEW_FORM};
use crate::flash::{Flash, Form, form_of};
use crate::parts::field::{ErrorSummary, TextField};
use crate::parts::folded::Folded;

const PREFIX: &str = "view-";

pub fn form(flash: Option<&Flash>) -> Form {
    form_of(flash, VIEW_FORM)
}

#[component]
pub fn ViewAs(person: PersonId, form: Form) -> impl IntoView {
    let minutes = VIEWING_LASTS.whole_minutes();
    view! {
        <Folded title="Look at their pages" now=format!("{minutes} minutes at most") open=form.came_back()>
            <p class="muted">
                {format!("You see their pages as they do, for {minutes} minutes at most, and can change nothing meanwhile. ")}
                "That you looked stands in the audit and in their own export."
            </p>
            <ErrorSummary form=form.clone() prefix=PREFIX />
            <form class="form" method="post" action=StartViewing::PATH>
                <input r#type="hidden" name="person" value=person.to_string() />
                <TextField form name="reason" label="Why you need to look" autocomplete="off" prefix=PREFIX help="Kept in the audit." />
                <div class="form-foot"><button class="button" r#type="submit">"View as this person"</button></div>
            </form>
        </Folded>
    }
}
