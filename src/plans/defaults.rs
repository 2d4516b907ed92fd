//! The three plans Atlas starts with.

use domain::{Credits, Money, PlanId, PlanVersionId, Price};

use crate::{Context, Result, ids};

struct Default {
    slug: &'static str,
    name: &'static str,
    description: &'static str,
    credits: Credits,
    price: Price,
}

const DEFAULTS: [Default; 3] = [
    Default {
        slug: "starter",
        name: "Starter",
        description: "For trying things out and for small projects.",
        credits: Credits::new(5_000),
        price: Price::Fixed(Money::usd(750)),
    },
    Default {
        slug: "pro",
        name: "Pro",
        description: "For regular work, at a better price.",
        credits: Credits::new(25_000),
        price: Price::Fixed(Money::usd(3_250)),
    },
    Default {
        slug: "enterprise",
        name: "Enterprise",
        description: "For teams, with a price and an invoice by agreement.",
        credits: Credits::new(100_000),
        price: Price::ByAgreement,
    },
];

/// Adds those of Starter, Pro and Enterprise that are not there yet, and changes none that is. Returns how many it added.
pub async fn add_missing(ctx: &Context) -> Result<u64> {
    let mut added = 0;
    let mut tx = ctx.db.begin().await?;
    for (position, plan) in (0_i32..).zip(&DEFAULTS) {
        let id = PlanId::from_uuid(ids::fresh());
        let inserted = sqlx::query!(
            "insert into plans (id, slug, position) values ($1, $2, $3) on conflict (slug) do nothing",
            id as PlanId,
            plan.slug,
            position,
        )
        .execute(&mut *tx)
        .await?;
        if inserted.rows_affected() == 0 {
            continue;
        }
        let (minor, currency) = match plan.price {
            Price::Fixed(money) => (Some(money.minor), Some(money.currency)),
            Price::ByAgreement => (None, None),
        };
        sqlx::query!(
            "insert into plan_versions (id, plan_id, version, name, description, credits, price_minor, currency)
            values ($1, $2, 1, $3, $4, $5, $6, $7)",
            PlanVersionId::from_uuid(ids::fresh()) as PlanVersionId,
            id as PlanId,
            plan.name,
            plan.description,
            plan.credits as Credits,
            minor,
            currency as Option<domain::Currency>,
        )
        .execute(&mut *tx)
        .await?;
        added += 1;
    }
    tx.commit().await?;
    Ok(added)
}
