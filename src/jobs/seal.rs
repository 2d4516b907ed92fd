//! Sealing the ledger each second: too often for a queue, so each process tries, and the database lets one at a time.

use std::time::Duration;

use crate::ledger::seal::seal;
use crate::{Context, Result};

const SEAL_EVERY: Duration = Duration::from_secs(1);
/// Transactions sealed in one go. When there are more, the next follows at once.
const SEAL_BATCH: i32 = 5_000;

/// For as long as the process runs, through outages of the database.
pub async fn each_second(ctx: Context) {
    let mut every = tokio::time::interval(SEAL_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        if let Err(error) = seal_all(&ctx).await {
            tracing::warn!(error = ?error, "the ledger could not be sealed");
        }
    }
}

async fn seal_all(ctx: &Context) -> Result<()> {
    while let Some(sealed) = seal(&ctx.db, SEAL_BATCH).await? {
        if sealed.transactions < SEAL_BATCH.into() {
            break;
        }
    }
    Ok(())
}
