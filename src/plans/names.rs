//! What the plans are called, for choosing among them.

use domain::PlanId;
use sqlx::PgExecutor;

use crate::Result;
use crate::people::roles::Support;

/// Nobody chooses among more.
const PLANS_MAX: i64 = 500;

/// A plan by the name of its newest version.
#[derive(Debug, Clone)]
pub struct Named {
    pub id: PlanId,
    pub name: String,
}

/// All but the deleted ones, which nobody has ordered: in the order of the page, retired ones last.
pub async fn names(db: impl PgExecutor<'_>, _: &Support) -> Result<Vec<Named>> {
    Ok(sqlx::query_as!(
        Named,
        r#"select plan.id as "id: PlanId", newest.name
        from plans plan
        join lateral (
            select version.name from plan_versions version where version.plan_id = plan.id order by version.version desc limit 1
        ) newest on true
        where plan.deleted_at is null order by plan.retired_at is not null, plan.position, plan.slug limit $1"#,
        PLANS_MAX,
    )
    .fetch_all(db)
    .await?)
}
