//! Why nothing can be bought, where an operator asks for a membership, and what to do about it.

use atlas::memberships::Standing;
use domain::paths;
use leptos::prelude::*;

use crate::parts::small::Badge;
use crate::words::Tone;

/// Nothing, where nothing stands in the way. `open`: the names of plans that anybody may buy.
#[component]
pub fn MembershipNotice(standing: Standing, open: Vec<String>) -> impl IntoView {
    let (words, sentence) = match standing {
        Standing::NotRequired | Standing::Holds => return ().into_any(),
        Standing::Ended => (
            "Membership ended",
            " Buying credits takes an active membership, and yours has ended. Renew it at Whop; the credits that you have stay \
             yours. ",
        ),
        Standing::None | Standing::Unknown => {
            ("Members only", " Buying credits takes a membership. Link your Whop account, or enter your licence key. ")
        }
    };
    view! {
        <p class="notice" data-tone="wait">
            <Badge words tone=Tone::Wait />
            {sentence}
            {(!open.is_empty()).then(|| format!("Anybody may buy {}. ", open.join(", ")))}
            <a href=paths::ACCOUNT>"Go to your account"</a>
        </p>
    }
    .into_any()
}
