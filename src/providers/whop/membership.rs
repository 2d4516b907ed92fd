//! What a membership of Whop's says, in our own words. Pure: the same for a webhook and for an answer.

use time::OffsetDateTime;

use super::facts::Unfit;
use super::text;
use super::wire::membership::{Membership, MembershipStatus};
use crate::events::MembershipFacts;

/// `account`: who it happened to, as far as the envelope or our question says.
pub fn facts(
    membership: &Membership,
    account: Option<&str>,
    said_at: OffsetDateTime,
) -> Result<MembershipFacts, Unfit> {
    let id = |id: &str| if text::is_id(id) { Ok(id.to_owned()) } else { Err(Unfit::Id) };
    let inner = membership.account.as_ref().map(|account| account.id.as_str());
    if let (Some(inner), Some(outer)) = (inner, account)
        && inner != outer
    {
        return Err(Unfit::Account);
    }
    Ok(MembershipFacts {
        membership_id: id(&membership.id)?,
        account: inner.or(account).map(id).transpose()?,
        subject: membership.user_id.as_deref().map(id).transpose()?,
        product_id: membership.product_id.as_deref().map(id).transpose()?,
        plan_id: membership.plan_id.as_deref().map(id).transpose()?,
        status: text::clean(membership.status.as_str()).ok_or(Unfit::UnknownStatus)?.chars().take(100).collect(),
        gives_access: gives_access(&membership.status),
        said_at,
    })
}

/// `canceled` and `expired` end it; of anything else that is no clear yes, nothing is concluded (Whop API, deactivation).
fn gives_access(status: &MembershipStatus) -> Option<bool> {
    match status {
        MembershipStatus::Canceled | MembershipStatus::Expired => Some(false),
        status => status.gives_access().then_some(true),
    }
}
