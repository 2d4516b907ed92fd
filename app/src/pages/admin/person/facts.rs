//! Who somebody is.

use atlas::people::desk::Profile;
use domain::paths;
use leptos::prelude::*;

use crate::parts::small::{CopyableId, Moment};
use crate::words;

#[component]
pub fn Facts(
    profile: Profile,
    /// Whether whoever looks may read the audit.
    is_admin: bool,
) -> impl IntoView {
    let audit = is_admin.then(|| paths::with_query(paths::ADMIN_AUDIT, &[("who", &profile.id.to_string())]));
    view! {
        <section class="figure" aria-labelledby="facts-title">
            <h2 id="facts-title">"Who it is"</h2>
            <dl class="facts">
                {(!profile.name.is_empty()).then(|| view! { <div><dt>"Name"</dt><dd><bdi>{profile.name}</bdi></dd></div> })}
                {profile.left_at.map(|at| view! { <div><dt>"Left"</dt><dd><Moment at /></dd></div> })}
                <div><dt>"Role"</dt><dd>{words::role(profile.role)}</dd></div>
                <div><dt>"Since"</dt><dd><Moment at=profile.since /></dd></div>
                <div><dt>"Email"</dt><dd>{if profile.email_is_confirmed { "Confirmed" } else { "Not confirmed" }}</dd></div>
                <div><dt>"Second factor"</dt><dd>{if profile.has_second_factor { "On" } else { "Off" }}</dd></div>
                {profile.payment_path.map(|path| view! { <div><dt>"Payment path"</dt><dd>{path.title()}", set for them"</dd></div> })}
                {profile.daily_credits_max.map(|limit| view! {
                    <div><dt>"May buy"</dt><dd>{format!("{limit} credits in 24 hours")}</dd></div>
                })}
                <div><dt>"Id"</dt><dd><CopyableId id=profile.id.to_string() what="person’s id" /></dd></div>
                {audit.map(|href| view! {
                    <div><dt>"Audit"</dt><dd><a href=href>"What they did, and what was done about them"</a></dd></div>
                })}
            </dl>
        </section>
    }
}
