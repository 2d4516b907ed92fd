//! Taking over a plan that exists at Whop already: it becomes the counterpart of one of ours.

use domain::{FieldErrors, MirrorState, PlanId, Price};

use super::locked::lock;
use super::mirror::door;
use crate::audit::{self, About, Change, Origin, What};
use crate::people::roles::Admin;
use crate::providers::ProviderError;
use crate::providers::mirror::SeenPlan;
use crate::{Context, Error, Refusal, Result};

const ID_BYTES_MAX: usize = 255;

/// The provider's name of a plan: `plan_…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhopPlanId(String);

impl WhopPlanId {
    pub fn parse(field: &str, text: &str) -> Result<Self, FieldErrors> {
        let id = text.trim();
        let plain = id.len() <= ID_BYTES_MAX && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let named = id.strip_prefix("plan_").is_some_and(|rest| !rest.is_empty());
        if plain && named {
            Ok(Self(id.to_owned()))
        } else {
            Err(FieldErrors::one(field, "Enter the plan’s id at Whop. It begins with plan_."))
        }
    }
}

/// Links a plan of ours with one that exists there. Nothing is changed there; from then on edits here are mirrored to it.
///
/// Errors: under `field`, why that plan does not fit; [`Refusal::PlanIsMirrored`], [`Refusal::PlanIsRetired`],
/// [`Refusal::NoPlanMirror`], [`Refusal::WhopUnavailable`].
pub async fn adopt(
    ctx: &Context,
    admin: &Admin,
    origin: &Origin,
    plan: PlanId,
    field: &'static str,
    id: &WhopPlanId,
) -> Result<()> {
    let mirror = door(ctx)?;
    let seen = match mirror.look(&id.0).await {
        Ok(seen) => seen,
        Err(ProviderError::NotFound) => return Err(unfit(field, "Whop knows no plan with this id.")),
        Err(error) => {
            tracing::warn!(plan.id = %plan, %error, "a plan can't be adopted");
            return Err(Refusal::WhopUnavailable.into());
        }
    };
    let mut tx = ctx.db.begin().await?;
    let stands = lock(&mut tx, plan).await?.unless_retired()?;
    if let Some(reason) = misfit(stands.terms.price, &seen) {
        return Err(unfit(field, reason));
    }
    let differs = seen.title != mirror.title(&stands.terms.name) || seen.on_sale != stands.on_sale || seen.listed;
    let (state, note) = if differs {
        (
            MirrorState::Drifted,
            Some("Its title differs, or who can buy it there. Repair it to have Whop say what is said here."),
        )
    } else {
        (MirrorState::InStep, None)
    };
    let linked = sqlx::query!(
        "insert into whop_plans (plan_id, state, whop_plan_id, adopted_at, version, note, checked_at, changed_at)
        values ($1, $2, $3, $4, $5, $6, $4, $4)
        on conflict (plan_id) do update set state = excluded.state, whop_plan_id = excluded.whop_plan_id,
            adopted_at = excluded.adopted_at, version = excluded.version, note = excluded.note,
            checked_at = excluded.checked_at, changed_at = excluded.changed_at
        where whop_plans.whop_plan_id is null and whop_plans.begun_from is null",
        plan as PlanId,
        state as MirrorState,
        seen.plan_id,
        ctx.now(),
        stands.revision,
        note,
    )
    .execute(&mut *tx)
    .await
    .map_err(|error| taken(error, field))?;
    if linked.rows_affected() == 0 {
        return Err(Refusal::PlanIsMirrored.into());
    }
    let (by, about) = (admin.by(origin), plan.to_string());
    let deed = by.did(What::PlanAdopted, About::Thing { kind: "plan", id: &about });
    audit::record(&mut tx, &deed.with(Change::none().noted("whop_plan", seen.plan_id.as_str()))).await?;
    Ok(tx.commit().await?)
}

/// Why the plan there can't stand for one of ours with this price.
fn misfit(ours: Price, seen: &SeenPlan) -> Option<String> {
    let Price::Fixed(price) = ours else {
        return Some("This plan is by agreement, and has no price to be paid at Whop.".to_owned());
    };
    if !seen.paid_once {
        return Some("That plan is paid again and again. Credits are sold once.".to_owned());
    }
    match seen.price {
        Some(there) if there == price => None,
        Some(there) => Some(format!(
            "That plan costs {there} {}, and this one {price} {}. Make them the same first.",
            there.currency.code(),
            price.currency.code(),
        )),
        None => Some("That plan’s price can’t be read.".to_owned()),
    }
}

fn unfit(field: &str, message: impl Into<String>) -> Error {
    Error::Invalid(FieldErrors::one(field, message))
}

fn taken(error: sqlx::Error, field: &str) -> Error {
    let is_taken =
        error.as_database_error().is_some_and(|error| error.constraint() == Some("whop_plans_one_plan_each"));
    if is_taken { unfit(field, "Another plan has this one as its counterpart already.") } else { error.into() }
}
