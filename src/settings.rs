//! What an operator switches while the program runs. It stands in the database, so it holds for every process at once.

pub mod history;
pub mod rollout;

use serde_json::{Value, json};
use sqlx::PgExecutor;
use time::OffsetDateTime;

use crate::audit::{self, About, By, Change, What};
use crate::orders::route::Rules;
use crate::providers::Providers;
use crate::{Context, Error, Result};
use domain::{FieldErrors, Provider};
use rollout::Percent;

const PAYMENTS_STOPPED: &str = "payments_stopped";
const PAYMENT_PATH: &str = "payment_path";
const ROLLOUT: &str = "rollout";
const MESSAGE_CHARS_MAX: usize = 300;

/// What buyers read while no checkout is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message(String);

impl Message {
    /// One to 300 characters of any script, none of them a control character.
    pub fn parse(field: &str, text: &str) -> Result<Self, FieldErrors> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > MESSAGE_CHARS_MAX || text.chars().any(char::is_control) {
            return Err(FieldErrors::one(
                field,
                format!("Say in 1 to {MESSAGE_CHARS_MAX} characters what buyers are to read."),
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Payments, while they are stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// What buyers read.
    pub message: String,
    pub since: OffsetDateTime,
}

/// How everything is switched now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Switches {
    /// None: checkouts are opened.
    pub stopped: Option<Stopped>,
    /// None: nobody set one, so it is as the environment says.
    pub provider: Option<Provider>,
    pub rollout: Option<Percent>,
}

impl Switches {
    /// By which path people order who were not set apart.
    pub fn rules(&self, providers: &Providers) -> Rules {
        Rules { default: self.provider.unwrap_or_else(|| providers.by_environment()), rollout: self.rollout }
    }
}

/// Everything that is switched, in one query.
pub async fn read(db: impl PgExecutor<'_>) -> Result<Switches> {
    let rows = sqlx::query!("select name, value, changed_at from settings").fetch_all(db).await?;
    let mut switches = Switches::default();
    for row in rows {
        let unreadable = || Error::broken(format!("settings.value of {} can't be read", row.name));
        match row.name.as_str() {
            PAYMENTS_STOPPED => {
                let message = row.value.get("message").and_then(Value::as_str).ok_or_else(unreadable)?;
                switches.stopped = Some(Stopped { message: message.to_owned(), since: row.changed_at });
            }
            PAYMENT_PATH => {
                let word = row.value.get("provider").and_then(Value::as_str);
                switches.provider = Some(word.and_then(|word| word.parse().ok()).ok_or_else(unreadable)?);
            }
            ROLLOUT => {
                let number = row.value.get("percent").and_then(Value::as_u64).and_then(|number| number.try_into().ok());
                switches.rollout = Some(number.and_then(Percent::new).ok_or_else(unreadable)?);
            }
            // Of a later version, while it is rolled out beside this one.
            _ => {}
        }
    }
    Ok(switches)
}

/// None: checkouts are opened.
pub async fn payments_stopped(db: impl PgExecutor<'_>) -> Result<Option<Stopped>> {
    Ok(read(db).await?.stopped)
}

/// From now on no checkout is opened. What was paid, refunded or disputed is booked as before.
pub async fn stop_payments(ctx: &Context, by: &By<'_>, message: &Message) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    sqlx::query!(
        "insert into settings (name, value, changed_at) values ($1, $2, $3)
        on conflict (name) do update set value = excluded.value, changed_at = excluded.changed_at",
        PAYMENTS_STOPPED,
        json!({ "message": message.0 }),
        ctx.now(),
    )
    .execute(&mut *tx)
    .await?;
    let deed = by.did(What::PaymentsStopped, About::Thing { kind: "setting", id: PAYMENTS_STOPPED });
    audit::record(&mut tx, &deed.with(Change::none().noted("message", message.0.as_str())).because(&message.0)).await?;
    Ok(tx.commit().await?)
}

/// Checkouts are opened again. Errors: [`Error::NotFound`] when payments were not stopped.
pub async fn start_payments(ctx: &Context, by: &By<'_>) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    let gone = sqlx::query!("delete from settings where name = $1", PAYMENTS_STOPPED).execute(&mut *tx).await?;
    if gone.rows_affected() == 0 {
        return Err(Error::NotFound);
    }
    let deed = by.did(What::PaymentsStarted, About::Thing { kind: "setting", id: PAYMENTS_STOPPED });
    audit::record(&mut tx, &deed).await?;
    Ok(tx.commit().await?)
}
