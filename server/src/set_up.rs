//! While nobody has set Atlas up: the line in the log that lets somebody do it, and taking up what they stored.

use std::time::Duration;

use anyhow::{Result, bail};
use atlas::Context;
use atlas::set_up::code::renew;
use atlas::set_up::is_open;
use atlas::set_up::whop::keys;
use domain::paths;

use crate::config::{Config, missing};
use crate::providers::{self, WhopDoor};
use crate::router::AppState;

const LOOKED_EACH: Duration = Duration::from_secs(1);

/// Says how to get in while there is no admin. Once there is one, what is missing is refused as ever.
pub async fn begin(config: &Config, state: &AppState) -> Result<()> {
    let ctx = &state.ctx;
    if let Some(code) = renew(ctx).await? {
        let address = format!("{}{}", ctx.public_url, paths::SET_UP);
        tracing::warn!("set-up: there is no admin yet. Open {address} and enter the code {}", code.shown());
    }
    let is_waited_for = state.whop.as_ref().is_some_and(|whop| whop.get().is_none());
    if !is_waited_for || is_open(&ctx.db).await? {
        return Ok(());
    }
    let missing = missing(&keys(ctx, &config.whop.given()).await?);
    bail!("the configuration is not complete:\n  {}", missing.join("\n  "));
}

/// Sets Whop up as soon as the set-up page has stored what it takes, in whichever process. Ends then.
pub async fn take_up(config: Config, ctx: Context, whop: WhopDoor) {
    let given = config.whop.given();
    loop {
        match keys(&ctx, &given).await {
            Ok(keys) if keys.are_whole() => match providers::whop(&config, &keys) {
                Ok(made) => return open(&ctx, &whop, made),
                Err(error) => tracing::error!("the stored keys can't be used: {error:#}"),
            },
            Ok(_) => {}
            Err(error) => tracing::warn!(error = ?error, "what the set-up page stored could not be read"),
        }
        tokio::time::sleep(LOOKED_EACH).await;
    }
}

fn open(ctx: &Context, whop: &WhopDoor, made: Option<providers::WhopSetUp>) {
    let Some(made) = made else { return };
    ctx.providers.set_up([made.provider.clone()]);
    whop.get_or_init(|| made);
    tracing::info!("Whop is set up: checkouts are opened and webhooks taken");
}
