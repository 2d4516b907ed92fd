//! Changing the password, for whoever has just shown again that it is them.

use atlas::Result;
use atlas::people::fresh::Fresh;
use domain::paths;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;

use crate::actions::account::{ChangePassword, PASSWORD_FORM};
use crate::flash::{self, form_of};
use crate::pages::for_fresh;
use crate::parts::field::{ErrorSummary, TextField};
use crate::parts::notice::FlashNotice;
use crate::request::Request;

#[component]
pub fn PasswordPage() -> impl IntoView {
    view! { <Suspense>{Suspend::new(for_fresh(paths::CHANGE_PASSWORD, draw))}</Suspense> }
}

async fn draw(request: Request, fresh: Fresh) -> Result<AnyView> {
    let flash = flash::take(&request).await?;
    let form = form_of(flash.as_ref(), PASSWORD_FORM);
    let email = fresh.person().email().to_owned();
    Ok(view! {
        <Title text="Change your password · Atlas Credits" />
        <main id="main" class="page page--form">
            <div class="page-head"><h1>"Change your password"</h1></div>
            <FlashNotice flash />
            <ErrorSummary form=form.clone() />
            <form class="form" method="post" action=ChangePassword::PATH>
                <input class="visually-hidden" r#type="email" autocomplete="username" value=email tabindex="-1"
                    aria-hidden="true" readonly=true />
                <TextField form name="new" label="New password" kind="password" autocomplete="new-password"
                    help="At least 8 characters, better 15 or more. Changing it signs you out everywhere else." />
                <div class="form-foot">
                    <button class="button button--primary button--wide" r#type="submit">"Change password"</button>
                </div>
            </form>
            <p class="muted"><a href=paths::ACCOUNT>"Back to your account"</a></p>
        </main>
    }
    .into_any())
}
