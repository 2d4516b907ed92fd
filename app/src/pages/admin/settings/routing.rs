//! Who pays at Whop and who orders by request: how it stands, and the two forms that change it.

use atlas::orders::route::Rules;
use atlas::settings::rollout::Percent;
use domain::{Provider, paths};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::actions::admin::rollout::{DEFAULT_FORM, ROLLOUT_FORM, SetDefaultProvider, SetRollout};
use crate::flash::{Flash, Form, form_of};
use crate::parts::field::{ErrorSummary, TextField};
use crate::words;

/// What can be chosen.
pub const CHOICES: [Provider; 2] = [Provider::Whop, Provider::Manual];

#[component]
pub fn Routing(rules: Rules, whop_is_set_up: bool, apart: i64, flash: Option<Flash>) -> impl IntoView {
    let default_form = form_of(flash.as_ref(), DEFAULT_FORM);
    let rollout_form = form_of(flash.as_ref(), ROLLOUT_FORM);
    let stands = match rules.rollout {
        _ if !whop_is_set_up => {
            "Whop is not set up here, so everybody orders by request, whatever is set below.".to_owned()
        }
        Some(percent) => format!(
            "A rollout is under way: {} % of all people pay at Whop, and the others order by request.",
            percent.get()
        ),
        None if rules.default == Provider::Manual => "Everybody orders by request.".to_owned(),
        None => format!("Everybody pays at {}.", rules.default.title()),
    };
    view! {
        <section class="stack" aria-labelledby="routing-title">
            <h2 id="routing-title">"Who pays where"</h2>
            <p>{stands}" What was begun on either path goes on there."</p>
            <p>
                {words::set_apart(apart)}" It wins over all that is set here. "
                {(apart > 0).then(|| view! {
                    <a href=paths::with_query(paths::ADMIN_PEOPLE, &[("path", "own")])>"See who has"</a>
                })}
            </p>
            <DefaultForm default=rules.default form=default_form />
            <RolloutForm rollout=rules.rollout form=rollout_form />
        </section>
    }
}

#[component]
fn DefaultForm(default: Provider, form: Form) -> impl IntoView {
    let chosen = form.value("provider");
    let choices = CHOICES.map(|provider| {
        let selected = if chosen.is_empty() { provider == default } else { chosen == provider.as_str() };
        view! { <option value=provider.as_str() selected=selected>{provider.title()}</option> }
    });
    view! {
        <ErrorSummary form=form.clone() prefix="default-" />
        <form class="form" method="post" action=SetDefaultProvider::PATH>
            <div class="field">
                <label for="default-provider">"Default provider"</label>
                <select class="input" id="default-provider" name="provider" aria-describedby="default-provider-help">
                    {choices.collect_view()}
                </select>
                <p class="field-help" id="default-provider-help">"For everybody, while no rollout is under way."</p>
            </div>
            <TextField form prefix="default-" name="reason" label="Why this default" autocomplete="off" help="Kept in the audit." />
            <div class="form-foot"><button class="button" r#type="submit">"Set the default"</button></div>
        </form>
    }
}

#[component]
fn RolloutForm(rollout: Option<Percent>, form: Form) -> impl IntoView {
    let initial = rollout.map(|percent| percent.get().to_string()).unwrap_or_default();
    view! {
        <ErrorSummary form=form.clone() prefix="rollout-" />
        <form class="form" method="post" action=SetRollout::PATH>
            <TextField form=form.clone() prefix="rollout-" name="percent" label="Percentage on Whop" autocomplete="off"
                optional=true initial help="0 to 100. Who is on Whop stays there when it grows. Empty it to end the rollout." />
            <TextField form prefix="rollout-" name="reason" label="Why this percentage" autocomplete="off" help="Kept in the audit." />
            <div class="form-foot"><button class="button" r#type="submit">"Set the rollout"</button></div>
        </form>
    }
}
