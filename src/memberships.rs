//! Memberships at the provider, where an operator asks that buyers hold one. What webhooks last said counts; it is asked for again
//! when it is old. Buying needs a yes; what was bought before is never touched.

pub mod check;
pub mod licence;
pub mod take_in;

use std::sync::Arc;

use crate::{Context, Error, Refusal, Result};

/// What a buyer has to hold: a membership of one of these products or plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    ids: Arc<[String]>,
    /// Plans of ours, by slug, that anybody may buy.
    open: Arc<[String]>,
}

/// Neither a product's nor a plan's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be ids of products or plans, prod_… or plan_…, with commas between them")]
pub struct BadRule;

impl Rule {
    /// None: nothing is asked for.
    pub fn parse(text: &str) -> Result<Option<Self>, BadRule> {
        let ids = listed(text);
        let plain = |id: &String| {
            let word = id.strip_prefix("prod_").or_else(|| id.strip_prefix("plan_"));
            word.is_some_and(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        };
        if !ids.iter().all(plain) {
            return Err(BadRule);
        }
        Ok((!ids.is_empty()).then(|| Self { ids: ids.into(), open: Arc::default() }))
    }

    /// The same, but that anybody may buy these plans of ours: slugs, with commas between them. A slug that no plan has opens
    /// nothing, so a slip of the pen sells to fewer, never to more.
    #[must_use]
    pub fn except(self, slugs: &str) -> Self {
        Self { open: listed(slugs).into(), ..self }
    }

    /// Whether buying this plan takes a membership.
    pub fn asks_for(&self, slug: &str) -> bool {
        !self.open.iter().any(|open| open == slug)
    }

    fn ids(&self) -> &[String] {
        &self.ids
    }
}

fn listed(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// How somebody stands against the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    NotRequired,
    Holds,
    /// They had one, and it ended.
    Ended,
    /// None is known of theirs.
    None,
    /// Nothing new can be learned just now, and what is known is too old to go by.
    Unknown,
}

impl Standing {
    /// Whether something new may be bought. In doubt it may not.
    pub const fn may_buy(self) -> Result<(), Refusal> {
        match self {
            Self::NotRequired | Self::Holds => Ok(()),
            Self::Ended => Err(Refusal::MembershipEnded),
            Self::None => Err(Refusal::MembershipRequired),
            Self::Unknown => Err(Refusal::MembershipUnknown),
        }
    }
}

/// Lets whoever may buy the plan of this slug go on; to be called before an order is written down.
pub async fn require(ctx: &Context, person: &crate::people::SignedIn, plan: &str) -> Result<()> {
    if ctx.membership_rule.as_ref().is_some_and(|rule| !rule.asks_for(plan)) {
        return Ok(());
    }
    check::check(ctx, person).await?.may_buy().map_err(Error::from)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_rule_is_ids_and_nothing_else() {
        assert_eq!(Rule::parse("").unwrap(), None);
        assert_eq!(Rule::parse(" prod_A1 , plan_b2,").unwrap().unwrap().ids(), ["prod_A1", "plan_b2"]);
        for odd in ["mem_1", "prod_", "prod_a b", "prod_a;plan_b", "prod_ä"] {
            assert_eq!(Rule::parse(odd).unwrap_err(), BadRule, "{odd}");
        }
    }

    #[test]
    fn a_plan_is_open_to_anybody_only_by_its_very_slug() {
        let rule = Rule::parse("prod_A1").unwrap().unwrap();
        assert!(rule.asks_for("starter"));
        let rule = rule.except(" starter , Pro");
        assert_eq!(["starter", "pro", "starter-2", ""].map(|slug| rule.asks_for(slug)), [false, true, true, true]);
    }

    #[test]
    fn in_doubt_nothing_is_sold() {
        for standing in [Standing::Ended, Standing::None, Standing::Unknown] {
            assert!(standing.may_buy().is_err(), "{standing:?}");
        }
        assert!(Standing::NotRequired.may_buy().is_ok() && Standing::Holds.may_buy().is_ok());
    }
}
