//! Whether Whop lets us in, and whether it tells us what we have to hear. For whoever sets Atlas up, or looks for what is wrong.

use std::time::Duration;

use time::OffsetDateTime;

use super::client::{Client, PaymentFilter};
use super::error::WhopError;
use super::text;
use super::wire::webhook::Endpoint;
use super::{API_VERSION, Limits};

/// What a webhook has to be subscribed to for credits to come, and to go back.
pub const EVENTS: [&str; 11] = [
    "payment.created",
    "payment.requires_action",
    "payment.pending",
    "payment.authorized",
    "payment.succeeded",
    "payment.failed",
    "payment.canceled",
    "refund.created",
    "refund.updated",
    "dispute.created",
    "dispute.updated",
];
/// And where buyers have to be members.
pub const MEMBERSHIP_EVENTS: [&str; 3] = ["membership.activated", "membership.updated", "membership.deactivated"];

/// For a person who waits for the answer.
pub const HURRIED: Limits = Limits {
    connect: Duration::from_secs(2),
    attempt: Duration::from_secs(4),
    call: Duration::from_secs(6),
    tries: 2,
    wait: Duration::from_millis(200),
    answer_bytes_max: 1024 * 1024,
};

/// Why a key is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyTrouble {
    #[error("Whop refuses the API key (401)")]
    Refused,
    #[error("the API key belongs to {0}")]
    OtherAccount(String),
    #[error("the API key may not read this account’s payments ({0})")]
    NotAllowed(u16),
    #[error("Whop does not answer: {0}")]
    Unreachable(String),
    /// The answer was no answer of Whop's, or one to something that we must not have asked.
    #[error("what answers there does not speak like Whop: {0}")]
    Odd(String),
}

impl From<WhopError> for KeyTrouble {
    fn from(error: WhopError) -> Self {
        match error {
            WhopError::Api(answer) if answer.status == 401 => Self::Refused,
            WhopError::Api(answer) if matches!(answer.status, 403 | 404) => Self::NotAllowed(answer.status),
            WhopError::Api(ref answer) if answer.is_temporary() => Self::Unreachable(error.to_string()),
            WhopError::Unreachable(why) => Self::Unreachable(why),
            other => Self::Odd(other.to_string()),
        }
    }
}

/// Asks Whop whether the key is good for the account. The account's name, where the key may read it.
pub async fn check_key(client: &Client) -> Result<Option<String>, KeyTrouble> {
    match client.own_account().await {
        Ok(account) if account.id == client.company_id() => Ok(account.title.as_deref().and_then(text::clean)),
        Ok(account) => {
            Err(KeyTrouble::OtherAccount(text::clean(&account.id).unwrap_or_else(|| "another account".to_owned())))
        }
        // Reading the account takes a permission that nothing else here does; reading its payments everything.
        Err(WhopError::Api(answer)) if matches!(answer.status, 403 | 404) => {
            client.payments(&PaymentFilter::default()).at_most(1).next().await?;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// What keeps an endpoint from telling us what we need.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Deafness {
    #[error("it is switched off")]
    SwitchedOff,
    #[error("it is pinned to {}, not to {API_VERSION}", .0.as_deref().unwrap_or("no version"))]
    NotPinned(Option<String>),
    #[error("it gets the events of connected accounts only")]
    OnlyConnectedAccounts,
    #[error("it does not get {}", .0.join(", "))]
    EventsMissing(Vec<&'static str>),
    #[error("its deliveries fail since {0}")]
    Failing(OffsetDateTime),
}

/// The webhook that leads to us.
#[derive(Debug, Clone)]
pub struct Hearing {
    pub id: String,
    pub troubles: Vec<Deafness>,
}

/// Our webhook among all: the best, where several lead to `url`. None: there is none.
pub fn hearing(endpoints: &[Endpoint], url: &str, members_only: bool) -> Option<Hearing> {
    let ours = endpoints.iter().filter(|endpoint| endpoint.url.as_deref() == Some(url));
    let judged = ours.map(|endpoint| Hearing { id: endpoint.id.clone(), troubles: troubles(endpoint, members_only) });
    judged.min_by_key(|hearing| hearing.troubles.len())
}

fn troubles(endpoint: &Endpoint, members_only: bool) -> Vec<Deafness> {
    let mut troubles = Vec::new();
    if endpoint.enabled == Some(false) || endpoint.disabled_at.is_some() {
        troubles.push(Deafness::SwitchedOff);
    }
    if endpoint.api_version_date.as_deref() != Some(API_VERSION) {
        troubles.push(Deafness::NotPinned(endpoint.api_version_date.as_deref().and_then(text::clean)));
    }
    if endpoint.child_resource_events == Some(true) {
        troubles.push(Deafness::OnlyConnectedAccounts);
    }
    let subscribed = endpoint.events.as_deref().unwrap_or_default();
    let missing: Vec<&'static str> =
        events(members_only).into_iter().filter(|event| !subscribed.iter().any(|one| one == event)).collect();
    if !missing.is_empty() {
        troubles.push(Deafness::EventsMissing(missing));
    }
    if let Some(since) = endpoint.failing_since {
        troubles.push(Deafness::Failing(since));
    }
    troubles
}

/// What a webhook of ours is subscribed to.
pub fn events(members_only: bool) -> Vec<&'static str> {
    let further = if members_only { &MEMBERSHIP_EVENTS[..] } else { &[] };
    EVENTS.iter().chain(further).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://atlas.example/api/webhooks/whop";

    fn endpoint() -> Endpoint {
        Endpoint {
            id: "hook_1".to_owned(),
            url: Some(URL.to_owned()),
            enabled: Some(true),
            events: Some(EVENTS.iter().map(ToString::to_string).collect()),
            api_version_date: Some(API_VERSION.to_owned()),
            child_resource_events: Some(false),
            resource_id: None,
            webhook_secret: None,
            consecutive_failures: None,
            failing_since: None,
            disabled_at: None,
            created_at: None,
        }
    }

    fn troubles_of(change: impl FnOnce(&mut Endpoint)) -> Vec<Deafness> {
        let mut endpoint = endpoint();
        change(&mut endpoint);
        hearing(&[endpoint], URL, false).map(|hearing| hearing.troubles).unwrap_or_default()
    }

    #[test]
    fn a_webhook_that_would_not_tell_us_says_why() {
        assert_eq!(troubles_of(|_| ()), []);
        assert_eq!(troubles_of(|one| one.enabled = Some(false)), [Deafness::SwitchedOff]);
        assert_eq!(troubles_of(|one| one.api_version_date = None), [Deafness::NotPinned(None)]);
        assert_eq!(troubles_of(|one| one.child_resource_events = Some(true)), [Deafness::OnlyConnectedAccounts]);
        let without = |one: &mut Endpoint| one.events = Some(EVENTS[..10].iter().map(ToString::to_string).collect());
        assert_eq!(troubles_of(without), [Deafness::EventsMissing(vec!["dispute.updated"])]);
        assert_eq!(troubles_of(|one| one.events = None), [Deafness::EventsMissing(EVENTS.to_vec())]);
    }

    #[test]
    fn of_several_webhooks_the_best_counts_and_those_of_others_do_not() {
        let elsewhere = Endpoint { url: Some("https://other.example".to_owned()), ..endpoint() };
        assert!(hearing(std::slice::from_ref(&elsewhere), URL, false).is_none());
        let deaf = Endpoint { id: "hook_2".to_owned(), enabled: Some(false), ..endpoint() };
        let best = hearing(&[deaf, elsewhere, endpoint()], URL, false);
        assert!(best.is_some_and(|best| best.id == "hook_1" && best.troubles.is_empty()));
    }

    #[test]
    fn members_only_needs_to_hear_of_memberships() {
        let heard = hearing(&[endpoint()], URL, true).map(|hearing| hearing.troubles);
        assert_eq!(heard, Some(vec![Deafness::EventsMissing(MEMBERSHIP_EVENTS.to_vec())]));
    }
}
