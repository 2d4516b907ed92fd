//! Whether plans say at the provider what they say here. Somebody may have changed them there.

use domain::{MirrorState, PlanId};

use super::mirror::{door, note_down, stand, wanted};
use crate::jobs::enqueue_in_turn;
use crate::jobs::kinds::MirrorPlan;
use crate::people::roles::Admin;
use crate::providers::ProviderError;
use crate::providers::mirror::{PlanCopy, PlanMirror, SeenPlan};
use crate::{Context, Error, Refusal, Result};

/// What is different there, a sentence each.
pub fn differences(mirror: &dyn PlanMirror, copy: &PlanCopy, seen: &SeenPlan) -> Vec<String> {
    let mut found = Vec::new();
    let title = mirror.title(&copy.name);
    if seen.title != title {
        found.push(format!("Its title is “{title}” here and “{}” at Whop.", seen.title));
    }
    if let Some(price) = copy.price.filter(|price| seen.price != Some(*price)) {
        let there =
            seen.price.map_or_else(|| "can’t be read".to_owned(), |there| format!("{there} {}", there.currency.code()));
        found.push(format!("Its price is {price} {} here and {there} at Whop.", price.currency.code()));
    }
    if !seen.paid_once {
        found.push("It is paid once here and again and again at Whop.".to_owned());
    }
    if seen.listed {
        found.push("Anybody who comes by can buy it at Whop, past this shop.".to_owned());
    }
    match (copy.on_sale, seen.on_sale) {
        (true, false) => found.push("It is on sale here and archived at Whop.".to_owned()),
        (false, true) => found.push("It is off sale here and not archived at Whop.".to_owned()),
        _ => {}
    }
    found
}

/// Asks the provider how a plan's counterpart stands now, and writes it down.
///
/// Errors: [`Error::NotFound`] where it has none, [`Refusal::NoPlanMirror`], [`Refusal::WhopUnavailable`].
pub async fn compare(ctx: &Context, _: &Admin, plan: PlanId) -> Result<()> {
    look(ctx, plan).await
}

async fn look(ctx: &Context, plan: PlanId) -> Result<()> {
    let mirror = door(ctx)?;
    let wanted = wanted(ctx, plan).await?.ok_or(Error::NotFound)?;
    let at = wanted.at.as_ref().ok_or(Error::NotFound)?;
    match mirror.look(&at.plan_id).await {
        Ok(seen) => stand(ctx, &wanted, &differences(mirror, &wanted.copy, &seen)).await,
        Err(ProviderError::NotFound) => stand(ctx, &wanted, &["Whop has no such plan any more.".to_owned()]).await,
        Err(error @ ProviderError::Unreachable(_)) => {
            tracing::warn!(plan.id = %plan, %error, "a plan can't be compared");
            Err(Refusal::WhopUnavailable.into())
        }
        Err(error) => {
            tracing::error!(plan.id = %plan, %error, "a plan can't be compared");
            note_down(ctx, plan, MirrorState::Failed, &error.to_string()).await
        }
    }
}

/// The hourly look at all of them: what still waits is mirrored, the others are compared.
pub async fn check_all(ctx: &Context) -> Result<()> {
    if ctx.providers.plan_mirror().is_none() {
        return Ok(());
    }
    let all = sqlx::query!(
        r#"select plan_id as "plan: PlanId", state as "state: MirrorState"
        from whop_plans where state = 'waiting' or whop_plan_id is not null order by plan_id"#,
    )
    .fetch_all(&ctx.db)
    .await?;
    for row in all {
        if row.state == MirrorState::Waiting {
            // In turn with the others of its kind: of two at once the one with the older terms might come last.
            let mut db = ctx.db.acquire().await?;
            enqueue_in_turn(&mut db, &MirrorPlan { plan: row.plan }, &row.plan.to_string()).await?;
            continue;
        }
        match look(ctx, row.plan).await {
            Ok(()) | Err(Error::NotFound) => {}
            // Away for one is away for all: the next look is in an hour.
            Err(Error::Refused(_)) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
