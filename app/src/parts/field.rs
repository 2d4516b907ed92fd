//! Form fields with their label, help and error.

use islands::show_password::ShowPassword;
use leptos::prelude::*;

use super::small::Icon;
use crate::flash::Form;

/// One line of text. What was typed is kept; an error stands in place of the help.
#[component]
pub fn TextField(
    form: Form,
    name: &'static str,
    label: &'static str,
    #[prop(default = "text")] kind: &'static str,
    autocomplete: &'static str,
    #[prop(optional)] help: Option<&'static str>,
    #[prop(optional)] initial: Option<String>,
    #[prop(optional)] optional: bool,
    /// Ids must differ where a page has several forms.
    #[prop(default = "")]
    prefix: &'static str,
) -> impl IntoView {
    let id = format!("{prefix}{name}");
    let error = form.error(name);
    let value = if form.values.contains_key(name) { form.value(name) } else { initial.unwrap_or_default() };
    let note_id = format!("{id}-{}", if error.is_some() { "error" } else { "help" });
    let described_by = (error.is_some() || help.is_some()).then(|| note_id.clone());
    let input = view! {
        <input
            class="input"
            id=id.clone()
            name=name
            r#type=kind
            value=value
            autocomplete=autocomplete
            required=!optional
            aria-invalid=error.is_some().then_some("true")
            aria-describedby=described_by
        />
    };
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            {if kind == "password" {
                view! { <div class="field-reveal">{input}<ShowPassword field=id.clone() /></div> }.into_any()
            } else {
                input.into_any()
            }}
            {match (error, help) {
                (Some(error), _) => {
                    view! { <p class="field-error" id=note_id><Icon name="alert" />{error}</p> }.into_any()
                }
                (None, Some(help)) => view! { <p class="field-help" id=note_id>{help}</p> }.into_any(),
                (None, None) => ().into_any(),
            }}
        </div>
    }
}

/// One of a few. What was chosen is kept, and an error is said below.
#[component]
pub fn SelectField(
    form: Form,
    name: &'static str,
    label: &'static str,
    /// What is sent and what is read, for each.
    choices: Vec<(&'static str, &'static str)>,
    initial: &'static str,
) -> impl IntoView {
    let chosen = if form.values.contains_key(name) { form.value(name) } else { initial.to_owned() };
    let error = form.error(name);
    let note_id = format!("{name}-error");
    let options = choices.into_iter().map(|(value, words)| {
        view! { <option value=value selected=value == chosen>{words}</option> }
    });
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <select class="input" id=name name=name aria-invalid=error.is_some().then_some("true")
                aria-describedby=error.is_some().then(|| note_id.clone())>
                {options.collect_view()}
            </select>
            {error.map(|error| view! { <p class="field-error" id=note_id><Icon name="alert" />{error}</p> })}
        </div>
    }
}

/// A code of the second factor. Its owner may paste it, or type a recovery code.
#[component]
pub fn CodeField(form: Form, help: &'static str) -> impl IntoView {
    view! { <TextField form name="code" label="Code" autocomplete="one-time-code" help /> }
}

/// Everything that is wrong with a form, with a link to each field; takes the focus when the page opens.
#[component]
pub fn ErrorSummary(
    form: Form,
    #[prop(default = "")] prefix: &'static str,
    /// As the fields' ids end, where a page has the same form several times.
    #[prop(optional)]
    suffix: String,
) -> impl IntoView {
    if form.errors.is_empty() {
        return ().into_any();
    }
    let lines: Vec<_> = form
        .errors
        .iter()
        .map(|(field, message)| {
            view! { <li><a href=format!("#{prefix}{field}{suffix}")>{message.to_owned()}</a></li> }
        })
        .collect();
    let title_id = format!("{}-errors", form.name);
    let labelled_by = title_id.clone();
    view! {
        <div class="error-summary" tabindex="-1" autofocus=true role="group" aria-labelledby=labelled_by>
            <h2 id=title_id>"Please mend this first"</h2>
            <ul>{lines}</ul>
        </div>
    }
    .into_any()
}
