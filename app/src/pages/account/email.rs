//! Changing the address, for whoever has just shown again that it is them; and how it stands with the one they claim.

use atlas::Result;
use atlas::people::Owner;
use atlas::people::fresh::Fresh;
use domain::paths;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;

use crate::actions::email::{ChangeEmail, EMAIL_FORM, SendConfirmation, StayWithEmail};
use crate::flash::{self, form_of};
use crate::pages::for_fresh;
use crate::parts::field::{ErrorSummary, TextField};
use crate::parts::notice::FlashNotice;
use crate::parts::small::Icon;
use crate::request::Request;
use crate::words::Tone;

#[component]
pub fn EmailPage() -> impl IntoView {
    view! { <Suspense>{Suspend::new(for_fresh(paths::CHANGE_EMAIL, draw))}</Suspense> }
}

async fn draw(request: Request, fresh: Fresh) -> Result<AnyView> {
    let flash = flash::take(&request).await?;
    let form = form_of(flash.as_ref(), EMAIL_FORM);
    let present = fresh.person().email().to_owned();
    Ok(view! {
        <Title text="Change your email · Atlas Credits" />
        <main id="main" class="page page--form">
            <div class="page-head"><h1>"Change your email"</h1></div>
            <FlashNotice flash />
            <ErrorSummary form=form.clone() />
            <p>"It is "<strong>{present}</strong>" now."</p>
            <form class="form" method="post" action=ChangeEmail::PATH>
                <TextField form name="email" label="New email" kind="email" autocomplete="email"
                    help="We send a link there. Nothing changes until you use it." />
                <div class="form-foot">
                    <button class="button button--primary button--wide" r#type="submit">"Send the link"</button>
                </div>
            </form>
            <p class="muted"><a href=paths::ACCOUNT>"Back to your account"</a></p>
        </main>
    }
    .into_any())
}

/// What is still to be done about an address that somebody claims; nothing where there is none.
#[component]
pub fn ClaimNotice(person: Owner) -> impl IntoView {
    let Some(claimed) = person.claimed_email().map(ToOwned::to_owned) else { return ().into_any() };
    let is_change = person.email_is_confirmed();
    let words = if is_change {
        "Your address will change once you use the link that we sent to "
    } else {
        "Confirm your address: use the link that we sent to "
    };
    let until = if is_change { ". Until then all stays as it is." } else { ". Until then you can sign in only here." };
    view! {
        <div class="notice" data-tone=Tone::Wait.as_str()>
            <Icon name=Tone::Wait.icon() />
            <p>{words}<strong>{claimed}</strong>{until}</p>
            <div class="notice-tools">
                <form method="post" action=SendConfirmation::PATH>
                    <button class="button" r#type="submit">"Send it again"</button>
                </form>
                {is_change
                    .then(|| view! {
                        <form method="post" action=StayWithEmail::PATH>
                            <button class="button button--plain" r#type="submit">"Keep the present one"</button>
                        </form>
                    })}
            </div>
        </div>
    }
    .into_any()
}
