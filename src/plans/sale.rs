//! Putting a plan on sale, and taking it off. Orders that were made keep what they were sold.

use domain::PlanId;

use super::locked::lock;
use super::mirror;
use crate::audit::{self, About, Change, Origin, Reason, What};
use crate::people::fresh::Fresh;
use crate::people::roles::Admin;
use crate::{Context, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sale {
    On,
    Off,
}

/// One that is so already stays so, and leaves no entry.
///
/// Errors: [`crate::Error::NotFound`], [`crate::Refusal::PlanIsRetired`].
pub async fn set(
    ctx: &Context,
    admin: &Admin,
    _: &Fresh,
    origin: &Origin,
    plan: PlanId,
    sale: Sale,
    reason: &Reason,
) -> Result<()> {
    let on_sale = sale == Sale::On;
    let mut tx = ctx.db.begin().await?;
    let stands = lock(&mut tx, plan).await?.unless_retired()?;
    if stands.on_sale == on_sale {
        return Ok(());
    }
    sqlx::query!("update plans set on_sale = $2 where id = $1", plan as PlanId, on_sale).execute(&mut *tx).await?;
    mirror::wish(ctx, &mut tx, plan).await?;
    let (by, about) = (admin.by(origin), plan.to_string());
    let what = if on_sale { What::PlanPutOnSale } else { What::PlanTakenOffSale };
    let deed = by.did(what, About::Thing { kind: "plan", id: &about });
    let change = Change::none().noted("name", stands.terms.name).noted("version", stands.revision);
    audit::record(&mut tx, &deed.with(change).because(reason.as_str())).await?;
    Ok(tx.commit().await?)
}
