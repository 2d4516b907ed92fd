//! The end of a plan: retired where it was ordered, for that stays to be seen; deleted where nobody ever did.

use domain::PlanId;
use sqlx::PgConnection;

use super::locked::{Locked, lock};
use super::mirror;
use crate::audit::{self, About, Change, Origin, Reason, What};
use crate::people::fresh::Fresh;
use crate::people::roles::Admin;
use crate::{Context, Refusal, Result};

/// Takes a plan off sale for good. What was sold of it stays as it is.
///
/// Errors: [`crate::Error::NotFound`], [`Refusal::PlanIsRetired`].
pub async fn retire(
    ctx: &Context,
    admin: &Admin,
    _: &Fresh,
    origin: &Origin,
    plan: PlanId,
    reason: &Reason,
) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    let stands = lock(&mut tx, plan).await?.unless_retired()?;
    sqlx::query!("update plans set on_sale = false, retired_at = $2 where id = $1", plan as PlanId, ctx.now())
        .execute(&mut *tx)
        .await?;
    mirror::wish(ctx, &mut tx, plan).await?;
    write_down(&mut tx, (admin, origin), What::PlanRetired, plan, (&stands, reason)).await?;
    Ok(tx.commit().await?)
}

/// Puts away a plan that nobody has ordered: no page shows it any more.
///
/// Errors: [`crate::Error::NotFound`], [`Refusal::PlanWasOrdered`].
pub async fn delete(
    ctx: &Context,
    admin: &Admin,
    _: &Fresh,
    origin: &Origin,
    plan: PlanId,
    reason: &Reason,
) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    let stands = lock(&mut tx, plan).await?;
    let ordered = sqlx::query_scalar!(
        r#"select exists (select from credit_orders o
            where o.plan_version_id in (select id from plan_versions where plan_id = $1)) as "ordered!""#,
        plan as PlanId,
    )
    .fetch_one(&mut *tx)
    .await?;
    if ordered {
        return Err(Refusal::PlanWasOrdered.into());
    }
    sqlx::query!("update plans set on_sale = false, deleted_at = $2 where id = $1", plan as PlanId, ctx.now())
        .execute(&mut *tx)
        .await?;
    mirror::wish(ctx, &mut tx, plan).await?;
    write_down(&mut tx, (admin, origin), What::PlanDeleted, plan, (&stands, reason)).await?;
    Ok(tx.commit().await?)
}

async fn write_down(
    tx: &mut PgConnection,
    (admin, origin): (&Admin, &Origin),
    what: What,
    plan: PlanId,
    (stands, reason): (&Locked, &Reason),
) -> Result<()> {
    let (by, about) = (admin.by(origin), plan.to_string());
    let deed = by.did(what, About::Thing { kind: "plan", id: &about });
    let change = Change::none().noted("name", stands.terms.name.as_str()).noted("slug", stands.slug.as_str());
    audit::record(tx, &deed.with(change).because(reason.as_str())).await
}
