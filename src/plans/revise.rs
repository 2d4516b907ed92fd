//! Changing a plan's terms: a new version beside the old ones, so that what was sold stays what it was. Of two who edit the
//! same version the second is refused.

use domain::PlanId;

use super::create::add_version;
use super::locked::lock;
use super::{Terms, bonus, mirror, prices};
use crate::audit::{self, About, Change, Origin, Reason, What};
use crate::people::fresh::Fresh;
use crate::people::roles::Admin;
use crate::{Context, Refusal, Result};

/// What is to be another.
#[derive(Debug, Clone)]
pub struct Edit {
    pub plan: PlanId,
    /// The number of the version that was looked at.
    pub revision: i32,
    pub terms: Terms,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revised {
    /// As this version. From now on it is what is sold.
    Saved(i32),
    /// The terms are what they were already.
    Unchanged,
}

/// Errors: [`crate::Error::NotFound`], [`Refusal::PlanIsRetired`], [`Refusal::PlanChangedMeanwhile`].
pub async fn revise(
    ctx: &Context,
    admin: &Admin,
    _: &Fresh,
    origin: &Origin,
    edit: &Edit,
    reason: &Reason,
) -> Result<Revised> {
    let mut tx = ctx.db.begin().await?;
    let stands = lock(&mut tx, edit.plan).await?.unless_retired()?;
    if stands.revision != edit.revision {
        return Err(Refusal::PlanChangedMeanwhile.into());
    }
    if stands.terms == edit.terms {
        return Ok(Revised::Unchanged);
    }
    let version = stands.revision + 1;
    add_version(ctx, &mut tx, edit.plan, version, &edit.terms, Some(admin.person().id())).await?;
    mirror::wish(ctx, &mut tx, edit.plan).await?;
    let (by, about) = (admin.by(origin), edit.plan.to_string());
    let deed = by.did(What::PlanRevised, About::Thing { kind: "plan", id: &about });
    let change = noted(Some(&stands.terms), &edit.terms).from_to("version", stands.revision, version);
    audit::record(&mut tx, &deed.with(change).because(reason.as_str())).await?;
    tx.commit().await?;
    Ok(Revised::Saved(version))
}

/// The terms for the audit: those that differ, or all of them for a new plan.
pub(super) fn noted(before: Option<&Terms>, after: &Terms) -> Change {
    let fields = |terms: &Terms| {
        let (minor, currency) = terms.price_columns();
        let (bonus, bonus_days) = bonus::columns(terms.bonus);
        [
            ("name", terms.name.clone().into()),
            ("description", terms.description.clone().into()),
            ("credits", terms.credits.get().into()),
            ("price_minor", serde_json::Value::from(minor)),
            ("currency", currency.map(|currency| currency.as_str().to_owned()).into()),
            ("other_prices", Some(prices::written(&terms.other_prices)).filter(|prices| !prices.is_empty()).into()),
            ("expires_after_days", terms.expires_after_days.into()),
            ("bonus_credits", bonus.get().into()),
            ("bonus_expires_after_days", bonus_days.into()),
            ("visibility", terms.visibility.as_str().into()),
        ]
    };
    let Some(before) = before else {
        return fields(after).into_iter().fold(Change::none(), |change, (field, value)| change.noted(field, value));
    };
    let pairs = fields(before).into_iter().zip(fields(after));
    pairs
        .filter(|(from, to)| from != to)
        .fold(Change::none(), |change, ((field, from), (_, to))| change.from_to(field, from, to))
}
