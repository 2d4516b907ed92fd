//! A new plan. It begins off sale and last in line, so that nobody buys what is not finished.

use domain::{Credits, Currency, PersonId, PlanId, PlanVersionId, PlanVisibility};
use sqlx::PgConnection;

use super::revise::noted;
use super::{Terms, bonus, prices};
use crate::audit::{self, About, Origin, What};
use crate::people::roles::Admin;
use crate::{Context, Result, ids};

const SLUG_BYTES_MAX: usize = 40;

/// Makes the plan with its first version.
pub async fn create(ctx: &Context, admin: &Admin, origin: &Origin, terms: &Terms) -> Result<PlanId> {
    let id = PlanId::from_uuid(ids::fresh());
    let mut tx = ctx.db.begin().await?;
    let slug = slug(&terms.name);
    if !insert(&mut tx, id, &slug).await? {
        // Another plan has this name, or had it.
        let kept: String = slug.chars().take(SLUG_BYTES_MAX - 9).collect();
        insert(&mut tx, id, &format!("{}-{}", kept.trim_end_matches('-'), id.short())).await?;
    }
    add_version(ctx, &mut tx, id, 1, terms, Some(admin.person().id())).await?;
    let (by, about) = (admin.by(origin), id.to_string());
    let deed = by.did(What::PlanCreated, About::Thing { kind: "plan", id: &about });
    audit::record(&mut tx, &deed.with(noted(None, terms))).await?;
    tx.commit().await?;
    Ok(id)
}

async fn insert(tx: &mut PgConnection, id: PlanId, slug: &str) -> Result<bool> {
    let inserted = sqlx::query!(
        "insert into plans (id, slug, position, on_sale)
        select $1, $2, coalesce(max(position), -1) + 1, false from plans on conflict (slug) do nothing",
        id as PlanId,
        slug,
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
