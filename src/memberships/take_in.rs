//! Taking in what a provider says about memberships: one row each, and older news never overwrites newer.

use std::collections::BTreeMap;

use domain::Provider;
use sqlx::PgConnection;

use crate::Result;
use crate::events::MembershipFacts;

/// In any order, and as often as it likes to come: the same set of news ends the same. All are of our account.
pub async fn take_in(tx: &mut PgConnection, provider: Provider, told: &[&MembershipFacts]) -> Result<()> {
    let newest = newest(told);
    if newest.is_empty() {
        return Ok(());
    }
    let texts = |of: &dyn Fn(&MembershipFacts) -> Option<String>| newest.iter().map(of).collect::<Vec<_>>();
    // In one order everywhere, so that two who say the same things don't wait for each other.
    sqlx::query!(
        "insert into memberships as known (provider, id, subject, product_id, plan_id, status, gives_access, said_at)
        select $1, id, subject, product_id, plan_id, status, coalesce(gives_access, false), said_at
        from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::timestamptz[])
            as told (id, subject, product_id, plan_id, status, gives_access, said_at) order by id
        on conflict (provider, id) do update set
            subject = coalesce(excluded.subject, known.subject), product_id = coalesce(excluded.product_id, known.product_id),
            plan_id = coalesce(excluded.plan_id, known.plan_id), status = excluded.status,
            gives_access = excluded.gives_access or (known.gives_access and excluded.status not in ('canceled', 'expired')),
            said_at = excluded.said_at
        where excluded.said_at > known.said_at
            or (excluded.said_at = known.said_at and excluded.status in ('canceled', 'expired'))",
        provider as Provider,
        &texts(&|facts| Some(facts.membership_id.clone())) as &[Option<String>],
        &texts(&|facts| facts.subject.clone()) as &[Option<String>],
        &texts(&|facts| facts.product_id.clone()) as &[Option<String>],
        &texts(&|facts| facts.plan_id.clone()) as &[Option<String>],
        &texts(&|facts| Some(facts.status.clone())) as &[Option<String>],
        &newest.iter().map(|facts| facts.gives_access).collect::<Vec<_>>() as &[Option<bool>],
        &newest.iter().map(|facts| facts.said_at).collect::<Vec<_>>(),
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Of each membership what was said last, in order of their ids. What says neither yes nor no leaves it at what was said before.
fn newest(told: &[&MembershipFacts]) -> Vec<MembershipFacts> {
    let mut in_time = told.to_vec();
    // At the same moment the end counts.
    in_time.sort_by_key(|facts| (facts.said_at, facts.gives_access == Some(false)));
    let mut newest: BTreeMap<&str, MembershipFacts> = BTreeMap::new();
    for facts in in_time {
        let mut facts_now = facts.clone();
        if let Some(before) = newest.remove(facts.membership_id.as_str()) {
            facts_now.subject = facts_now.subject.or(before.subject);
            facts_now.product_id = facts_now.product_id.or(before.product_id);
            facts_now.plan_id = facts_now.plan_id.or(before.plan_id);
            if facts_now.gives_access.is_none() {
                (facts_now.status, facts_now.gives_access) = (before.status, before.gives_access);
            }
        }
        newest.insert(&facts.membership_id, facts_now);
    }
    newest.into_values().collect()
}
