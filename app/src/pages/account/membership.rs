//! The membership that buying takes: whether it is known, and a licence key where it is not.

use atlas::memberships::Standing;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::actions::licence::EnterLicence;
use crate::flash::Form;
use crate::parts::field::{ErrorSummary, TextField};

#[component]
pub fn MembershipAccount(standing: Standing, form: Form) -> impl IntoView {
    let sentence = match standing {
        Standing::NotRequired => return ().into_any(),
        Standing::Holds => "Your membership is active. You can buy credits.",
        Standing::Ended => {
            "Your membership has ended. Renew it at Whop, and you can buy credits again; those you have stay yours."
        }
        Standing::None | Standing::Unknown => {
            "Buying credits takes a membership. Link your Whop account, or enter the licence key that Whop shows you."
        }
    };
    view! {
        <section class="stack" aria-labelledby="membership-title">
            <h2 id="membership-title">"Membership"</h2>
            <p class="muted">{sentence}</p>
            <ErrorSummary form=form.clone() />
            {(standing != Standing::Holds)
                .then(|| {
                    view! {
                        <form class="form" method="post" action=EnterLicence::PATH>
                            <TextField form name="licence" label="Licence key" autocomplete="off"
                                help="It belongs to your account from then on." />
                            <div class="form-foot"><button class="button" r#type="submit">"Use this key"</button></div>
                        </form>
                    }
                })}
        </section>
    }
    .into_any()
}
