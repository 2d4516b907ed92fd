//! Who pays at Whop and who orders by request, for everybody who was not set apart: the default, and the gradual rollout.

use domain::{FieldErrors, Provider};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{PAYMENT_PATH, ROLLOUT, Switches, read};
use crate::audit::{self, About, By, Change, Reason, What};
use crate::{Context, Result};

/// Of all people, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u8);

impl Percent {
    /// None above 100.
    pub const fn new(number: u8) -> Option<Self> {
        if number <= 100 { Some(Self(number)) } else { None }
    }

    /// A whole number; a `%` behind it is overlooked.
    pub fn parse(field: &str, text: &str) -> Result<Self, FieldErrors> {
        let number = text.trim().trim_end_matches('%').trim_end();
        let digits = !number.is_empty() && number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit());
        let percent = if digits { number.parse().ok().and_then(Self::new) } else { None };
        percent.ok_or_else(|| FieldErrors::one(field, "Give a whole number from 0 to 100."))
    }

    pub const fn get(self) -> u8 {
        self.0
    }
}

/// The default as it is typed: what isn't built in can't be chosen.
pub fn parse_provider(field: &str, text: &str) -> Result<Provider, FieldErrors> {
    match text.parse() {
        Ok(provider @ (Provider::Whop | Provider::Manual)) => Ok(provider),
        _ => Err(FieldErrors::one(field, "Choose Whop or by hand.")),
    }
}

/// Whose checkout everybody gets while no rollout decides.
pub async fn set_default(ctx: &Context, by: &By<'_>, provider: Provider, why: &Reason) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    let before = lock(&mut tx).await?.provider.unwrap_or_else(|| ctx.providers.by_environment());
    put(ctx, &mut tx, PAYMENT_PATH, &json!({ "provider": provider.as_str() })).await?;
    let deed = by.did(What::DefaultProviderSet, About::Thing { kind: "setting", id: PAYMENT_PATH });
    let change = Change::none().from_to("provider", before.as_str(), provider.as_str());
    audit::record(&mut tx, &deed.with(change).because(why.as_str())).await?;
    Ok(tx.commit().await?)
}

/// How many of all people are on Whop, all others on request; none: the default decides again.
pub async fn set_rollout(ctx: &Context, by: &By<'_>, percent: Option<Percent>, why: &Reason) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    let before = lock(&mut tx).await?.rollout;
    match percent {
        Some(percent) => put(ctx, &mut tx, ROLLOUT, &json!({ "percent": percent.0 })).await?,
        None => {
            sqlx::query!("delete from settings where name = $1", ROLLOUT).execute(&mut *tx).await?;
        }
    }
    let deed = by.did(What::RolloutSet, About::Thing { kind: "setting", id: ROLLOUT });
    let change = Change::none().from_to("percent", before.map(Percent::get), percent.map(Percent::get));
    audit::record(&mut tx, &deed.with(change).because(why.as_str())).await?;
    Ok(tx.commit().await?)
}

/// Nobody else changes a setting until this is over, so that what was before is told as it was. Reading goes on.
async fn lock(tx: &mut PgConnection) -> Result<Switches> {
    sqlx::query!("lock table settings in share row exclusive mode").execute(&mut *tx).await?;
    read(tx).await
}

async fn put(ctx: &Context, tx: &mut PgConnection, name: &str, value: &Value) -> Result<()> {
    sqlx::query!(
        "insert into settings (name, value, changed_at) values ($1, $2, $3)
        on conflict (name) do update set value = excluded.value, changed_at = excluded.changed_at",
        name,
        value,
        ctx.now(),
    )
    .execute(tx)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_a_whole_number_from_0_to_100() {
        for (text, number) in [("0", 0), (" 10 % ", 10), ("100", 100), ("007", 7)] {
            assert_eq!(Percent::parse("percent", text).map(Percent::get), Ok(number), "{text}");
        }
        for bad in ["", "%", "101", "-1", "+1", "1.5", "ten", "1000", "256", "10%x", "１０"] {
            assert!(Percent::parse("percent", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_what_is_built_in_can_be_the_default() {
        assert_eq!(parse_provider("provider", "whop"), Ok(Provider::Whop));
        assert_eq!(parse_provider("provider", "manual"), Ok(Provider::Manual));
        for bad in ["stripe", "", "Whop"] {
            assert!(parse_provider("provider", bad).is_err(), "{bad}");
        }
    }
}
