//! One's own data: taking it along, and the way to leave.

use atlas::people::export::Form;
use domain::paths;
use leptos::prelude::*;

#[component]
pub fn OwnData() -> impl IntoView {
    view! {
        <section class="stack" aria-labelledby="data-title">
            <h2 id="data-title">"Your data"</h2>
            <p>"Everything that is kept about you: profile, sessions, orders, payments, every movement of your credits, mails, and what was written down about your account."</p>
            <form class="cluster" method="post" action=paths::ACCOUNT_EXPORT data-fetches-file="">
                <button class="button" r#type="submit" name="form" value=Form::Json.as_str()>"Download as JSON"</button>
                <button class="button" r#type="submit" name="form" value=Form::Csv.as_str()>"Download as CSV"</button>
            </form>
            <p><a href=paths::ACCOUNT_DELETE>"Delete this account"</a></p>
        </section>
    }
}
