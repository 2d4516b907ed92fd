//! A new plan. It begins off sale and last in line, so that nobody buys what is not finished.

use domain::{Credits, Currency, PersonId, PlanId, PlanVersionId, PlanVisibility};
use sqlx::PgConnection;

use super::revise::noted;
use super::{Terms, bonus, locked, prices};
use crate::audit::{self, About, Origin, What};
use crate::orders::FormKey;
use crate::people::roles::Admin;
use crate::{Context, Error, Refusal, Result, ids};

const SLUG_BYTES_MAX: usize = 40;
/// The number of the version that a plan begins with.
const FIRST: i32 = 1;

/// Makes the plan with its first version. The same form sent twice makes one plan.
///
/// Errors: [`Refusal::FormUsedBefore`] for other terms, or somebody else's, under the same key.
pub async fn create(ctx: &Context, admin: &Admin, origin: &Origin, terms: &Terms, key: &FormKey) -> Result<PlanId> {
    let mut tx = ctx.db.begin().await?;
    if let Some(earlier) = made_before(&mut tx, admin, terms, key).await? {
        return Ok(earlier);
    }
    let id = PlanId::from_uuid(ids::fresh());
    let slug = slug(&terms.name);
    if !insert(&mut tx, id, &slug, key).await? {
        // Another plan has this name, or had it; or the same form was faster.
        let kept: String = slug.chars().take(SLUG_BYTES_MAX - 9).collect();
        if !insert(&mut tx, id, &format!("{}-{}", kept.trim_end_matches('-'), id.short()), key).await? {
            let earlier = made_before(&mut tx, admin, terms, key).await?;
            return earlier.ok_or_else(|| Error::broken("a new plan is in the way of itself"));
        }
    }
    add_version(ctx, &mut tx, id, FIRST, terms, Some(admin.person().id())).await?;
    let (by, about) = (admin.by(origin), id.to_string());
    let deed = by.did(What::PlanCreated, About::Thing { kind: "plan", id: &about });
    audit::record(&mut tx, &deed.with(noted(None, terms))).await?;
    tx.commit().await?;
    Ok(id)
}

/// The plan that this form made.
async fn made_before(tx: &mut PgConnection, admin: &Admin, terms: &Terms, key: &FormKey) -> Result<Option<PlanId>> {
    let earlier = sqlx::query!(
        r#"select plan.id as "id: PlanId", made.created_by is not distinct from $2 as "same_admin!"
        from plans plan join plan_versions made on made.plan_id = plan.id and made.version = $3 where plan.form_key = $1"#,
        key.as_str(),
        admin.person().id() as PersonId,
        FIRST,
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(earlier) = earlier else { return Ok(None) };
    let (_, said) = locked::version(tx, earlier.id, Some(FIRST)).await?;
    if earlier.same_admin && said == *terms { Ok(Some(earlier.id)) } else { Err(Refusal::FormUsedBefore.into()) }
}

/// Whether it is new: a slug and a key are of one plan each.
async fn insert(tx: &mut PgConnection, id: PlanId, slug: &str, key: &FormKey) -> Result<bool> {
    let inserted = sqlx::query!(
        "insert into plans (id, slug, position, on_sale, form_key)
        select $1, $2, coalesce(max(position), -1) + 1, false, $3 from plans on conflict do nothing",
        id as PlanId,
        slug,
        key.as_str(),
    )
    .execute(tx)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Writes a version; what is there already stays as it is.
pub(super) async fn add_version(
    ctx: &Context,
    tx: &mut PgConnection,
    plan: PlanId,
    version: i32,
    terms: &Terms,
    by: Option<PersonId>,
) -> Result<()> {
    let (minor, currency) = terms.price_columns();
    let (bonus, bonus_days) = bonus::columns(terms.bonus);
    let id = PlanVersionId::from_uuid(ids::fresh());
    sqlx::query!(
        "insert into plan_versions (id, plan_id, version, name, description, credits, price_minor, currency, visibility,
            expires_after_days, created_by, created_at, bonus_credits, bonus_expires_after_days)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        id as PlanVersionId,
        plan as PlanId,
        version,
        terms.name,
        terms.description,
        terms.credits as Credits,
        minor,
        currency as Option<Currency>,
        terms.visibility as PlanVisibility,
        terms.expires_after_days,
        by as Option<PersonId>,
        ctx.now(),
        bonus as Credits,
        bonus_days,
    )
    .execute(&mut *tx)
    .await?;
    prices::add(tx, id, &terms.other_prices).await
}

/// A name for addresses and logs: the Latin letters and digits of the plan's own.
fn slug(name: &str) -> String {
    let words = name.to_lowercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
    let words = words.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    let cut: String = words.chars().take(SLUG_BYTES_MAX).collect();
    let cut = cut.trim_end_matches('-');
    if cut.is_empty() { "plan".to_owned() } else { cut.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_slug() {
        for (name, wanted) in [
            ("Starter", "starter"),
            ("  Pro (2026)  ", "pro-2026"),
            ("<b>Bold</b>", "b-bold-b"),
            ("חבילה", "plan"),
            ("🚀", "plan"),
            ("Größe", "gr-e"),
        ] {
            assert_eq!(slug(name), wanted);
        }
        assert_eq!(slug(&"abc ".repeat(40)).len(), 39, "cut, and not left with a dash");
    }
}
