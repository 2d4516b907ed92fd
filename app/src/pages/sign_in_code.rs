//! The second step of signing in, for those who have a second factor.

use atlas::Result;
use atlas::people::half;
use domain::paths;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;

use crate::actions::second_factor::{CODE_FORM, EnterCode};
use crate::actions::session::next_path;
use crate::flash::{self, Flash, Form, form_of};
use crate::pages::query;
use crate::parts::field::{CodeField, ErrorSummary};
use crate::parts::notice::FlashNotice;
use crate::parts::problem::{problem, sign_in_first};
use crate::request::Request;

#[component]
pub fn SignInCode() -> impl IntoView {
    let next = next_path(&query("next"));
    view! {
        <Suspense>
            {Suspend::new(async move { draw(next).await.unwrap_or_else(|error| problem(&error)) })}
        </Suspense>
    }
}

async fn draw(next: String) -> Result<AnyView> {
    let request = Request::current()?;
    // Whoever comes without a cookie has no session to ask about.
    let is_under_way = match request.session_hash() {
        Ok(session) => half::is_under_way(request.ctx(), session).await?,
        Err(_) => false,
    };
    if !is_under_way {
        return Ok(sign_in_first(&next));
    }
    let flash = flash::take(&request).await?;
    let form = form_of(flash.as_ref(), CODE_FORM);
    Ok(view! { <CodePage flash form next /> }.into_any())
}

#[component]
fn CodePage(flash: Option<Flash>, form: Form, next: String) -> impl IntoView {
    view! {
        <Title text="Enter your code · Atlas Credits" />
        <main id="main" class="page page--form">
            <div class="page-head"><h1>"Enter your code"</h1></div>
            <FlashNotice flash />
            <ErrorSummary form=form.clone() />
            <form class="form" method="post" action=EnterCode::PATH>
                <input r#type="hidden" name="next" value=next />
                <CodeField form help="The six digits that your authenticator shows for Atlas Credits, or one of your recovery codes." />
                <div class="form-foot">
                    <button class="button button--primary button--wide" r#type="submit">"Sign in"</button>
                </div>
            </form>
            <p class="muted">
                "No authenticator and no recovery code? Write to us: whoever runs Atlas can remove the second factor once it is "
                "clear that it is you. "<a href=paths::SIGN_IN>"Begin again"</a>
            </p>
        </main>
    }
}
