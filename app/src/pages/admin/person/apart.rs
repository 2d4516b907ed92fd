//! What an admin sets for this person alone: whose checkout they get, and how much they may buy.

use atlas::people::desk::Profile;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use super::super::settings::routing::CHOICES;
use crate::actions::admin::people::{LIMIT_FORM, PATH_FORM, SetPaymentPath, SetPurchaseLimit};
use crate::flash::{Flash, Form, form_of};
use crate::parts::field::{ErrorSummary, TextField};
use crate::parts::folded::Folded;

pub fn path_form(flash: Option<&Flash>) -> Form {
    form_of(flash, PATH_FORM)
}

pub fn limit_form(flash: Option<&Flash>) -> Form {
    form_of(flash, LIMIT_FORM)
}

#[component]
pub fn PathForm(profile: Profile, form: Form) -> impl IntoView {
    // What was chosen before it was refused, the empty choice among it.
    let chosen = if form.values.contains_key("path") {
        form.value("path")
    } else {
        profile.payment_path.map(|path| path.as_str().to_owned()).unwrap_or_default()
    };
    let follows = chosen.is_empty();
    let now = profile.payment_path.map_or("As everybody", |path| path.title()).to_owned();
    let choices = CHOICES
        .map(|provider| view! { <option value=provider.as_str() selected=chosen == provider.as_str()>{provider.title()}</option> })
        .collect_view();
    view! {
        <Folded title="Set their payment path" now=now open=form.came_back()>
            <ErrorSummary form=form.clone() prefix="path-" />
            <form class="form" method="post" action=SetPaymentPath::PATH>
                <input r#type="hidden" name="person" value=profile.id.to_string() />
                <div class="field">
                    <label for="path-path">"Payment path"</label>
                    <select class="input" id="path-path" name="path" aria-describedby="path-path-help">
                        <option value="" selected=follows>"As everybody"</option>
                        {choices}
                    </select>
                    <p class="field-help" id="path-path-help">"For new orders. What was begun goes on where it was begun."</p>
                </div>
                <TextField form prefix="path-" name="reason" label="Why this path" autocomplete="off" help="Kept in the audit." />
                <div class="form-foot"><button class="button" r#type="submit">"Set the path"</button></div>
            </form>
        </Folded>
    }
}

#[component]
pub fn LimitForm(profile: Profile, form: Form) -> impl IntoView {
    let now =
        profile.daily_credits_max.map_or_else(|| "No limit".to_owned(), |limit| format!("{limit} credits in 24 hours"));
    let initial = profile.daily_credits_max.map(|limit| limit.to_string()).unwrap_or_default();
    view! {
        <Folded title="Limit what they may buy" now=now open=form.came_back()>
            <ErrorSummary form=form.clone() prefix="limit-" />
            <form class="form" method="post" action=SetPurchaseLimit::PATH>
                <input r#type="hidden" name="person" value=profile.id.to_string() />
                <TextField form=form.clone() prefix="limit-" name="limit" label="Credits they may buy in 24 hours" autocomplete="off"
                    optional=true initial help="Orders that may still be paid count. Empty it for no limit." />
                <TextField form prefix="limit-" name="reason" label="Why this limit" autocomplete="off" help="Kept in the audit." />
                <div class="form-foot"><button class="button" r#type="submit">"Set the limit"</button></div>
            </form>
        </Folded>
    }
}
