//! What of the wallet is held for something under way.

use atlas::people::desk::Hold;
use domain::Provider;
use leptos::prelude::*;

use crate::parts::records::{Column, Record, Records};
use crate::parts::small::Moment;

/// Nothing where nothing is held.
#[component]
pub fn Holds(holds: Vec<Hold>) -> impl IntoView {
    const COLUMNS: &[Column] =
        &[Column::Text("Held by"), Column::Number("Credits"), Column::Text("Since"), Column::Text("Ends by itself")];
    let records = holds.into_iter().map(|hold| {
        Record::from(vec![
            view! { <bdi>{holder(hold.holder)}</bdi> }.into_any(),
            hold.credits.to_string().into_any(),
            view! { <Moment at=hold.since /> }.into_any(),
            match hold.expires_at {
                Some(at) => view! { <Moment at /> }.into_any(),
                None => "never".into_any(),
            },
        ])
    });
    view! { <Records id="holds-title" title="What is held" columns=COLUMNS records=records.collect() /> }
}

/// What the ledger keeps under a scope: that of an application, or a provider's freeze while a bank looks at a payment.
fn holder(scope: String) -> String {
    let of_provider = scope.split_once(':').filter(|(provider, _)| provider.parse::<Provider>().is_ok());
    match of_provider {
        Some((_, "freeze")) => "An open dispute".to_owned(),
        Some((_, "bonus-freeze")) => "An open dispute, for its bonus".to_owned(),
        _ => scope,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freeze_is_a_providers_whatever_an_application_calls_itself() {
        for (scope, said) in [
            ("whop:freeze", "An open dispute"),
            ("whop:bonus-freeze", "An open dispute, for its bonus"),
            ("app:freeze", "app:freeze"),
            ("app:studio", "app:studio"),
            ("freeze", "freeze"),
        ] {
            assert_eq!(holder(scope.to_owned()), said);
        }
    }
}
