//! Several lines of text. What was typed is kept; an error stands in place of the help.

use leptos::prelude::*;

use super::small::Icon;
use crate::flash::Form;

#[component]
pub fn TextArea(
    form: Form,
    name: &'static str,
    label: &'static str,
    help: &'static str,
    /// As the id ends, where a page has the same form several times.
    #[prop(optional)]
    suffix: String,
    #[prop(default = false)] required: bool,
    #[prop(default = 2_000)] length_max: u32,
) -> impl IntoView {
    let id = format!("{name}{suffix}");
    let error = form.error(name);
    let said = format!("{id}-{}", if error.is_some() { "error" } else { "help" });
    let (described_by, label_for) = (said.clone(), id.clone());
    // Leptos writes a textarea's text as it is, so it is escaped here (T53).
    let text = escape_text(&form.value(name));
    view! {
        <div class="field">
            <label for=label_for>{label}</label>
            <textarea
                class="input" id=id name=name rows="4" maxlength=length_max.to_string() required=required
                aria-describedby=described_by aria-invalid=error.is_some().then_some("true")
                inner_html=text
            ></textarea>
            {match error {
                Some(error) => view! { <p class="field-error" id=said><Icon name="alert" />{error}</p> }.into_any(),
                None => view! { <p class="field-help" id=said>{help}</p> }.into_any(),
            }}
        </div>
    }
}

/// Text as it may stand between tags. A line break right behind the tag would be lost.
fn escape_text(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    if escaped.starts_with('\n') { format!("\n{escaped}") } else { escaped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_can_not_leave_its_textarea() {
        assert_eq!(escape_text("</textarea><script>&"), "&lt;/textarea&gt;&lt;script&gt;&amp;");
        assert_eq!(escape_text("\nsecond line"), "\n\nsecond line");
    }
}
