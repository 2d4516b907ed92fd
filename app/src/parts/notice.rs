//! The message that an action left for this page.

use leptos::prelude::*;

use super::small::Icon;
use crate::flash::Flash;
use crate::words::Tone;

/// Shows a message until the next page; what is wrong with a form is shown by the form, and one that was only kept is sent again.
#[component]
pub fn FlashNotice(flash: Option<Flash>) -> impl IntoView {
    let (tone, message) = match flash {
        Some(Flash::Done(message)) => (Tone::Good, message),
        Some(Flash::Refused(message)) => (Tone::Bad, message),
        Some(Flash::Mend(form)) if form.errors.is_empty() => {
            (Tone::Wait, "What you typed is still here. Nothing is changed yet: press the button again.".to_owned())
        }
        Some(Flash::Mend(_)) | None => return ().into_any(),
    };
    view! {
        <div class="flash" data-tone=tone.as_str() role="status">
            <Icon name=tone.icon() />
            <p>{message}</p>
            <a class="icon-button" href="" aria-label="Dismiss"><Icon name="x" /></a>
        </div>
    }
    .into_any()
}
