//! The role that somebody has, and giving them another.

use atlas::people::desk::Profile;
use domain::Role;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::actions::admin::people::{ChangeRole, ROLE_FORM};
use crate::flash::{Flash, Form, form_of};
use crate::parts::field::{ErrorSummary, TextField};
use crate::parts::folded::Folded;
use crate::words;

pub fn form(flash: Option<&Flash>) -> Form {
    form_of(flash, ROLE_FORM)
}

#[component]
pub fn RoleForm(profile: Profile, form: Form) -> impl IntoView {
    let chosen = form.value("role");
    let roles = Role::ALL.iter().map(|role| {
        let selected = if chosen.is_empty() { *role == profile.role } else { chosen == role.as_str() };
        view! { <option value=role.as_str() selected=selected>{words::role(*role)}</option> }
    });
    let roles = roles.collect_view();
    view! {
        <Folded title="Change the role" now=words::role(profile.role).to_owned() open=form.came_back()>
            <ErrorSummary form=form.clone() />
            <form class="form" method="post" action=ChangeRole::PATH>
                <input r#type="hidden" name="person" value=profile.id.to_string() />
                <div class="field">
                    <label for="role">"Role"</label>
                    <select class="input" id="role" name="role">{roles}</select>
                </div>
                <TextField form name="reason" label="Reason" autocomplete="off" help="Kept in the audit. They are signed out everywhere." />
                <div class="form-foot"><button class="button" r#type="submit">"Change the role"</button></div>
            </form>
        </Folded>
    }
}
