//! `atlas set-up`: the way in for whoever sets Atlas up.

use anyhow::{Result, bail};
use atlas::Context;
use atlas::set_up::code::renew;
use clap::Subcommand;
use domain::paths::SET_UP;
use serde_json::json;

use super::OrSaid as _;
use super::print::{self, Format};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a new code for the set-up page. It ends every earlier one, and is good for 24 hours.
    Code {
        #[command(flatten)]
        format: Format,
    },
}

pub async fn run(ctx: &Context, command: Command) -> Result<()> {
    let Command::Code { format } = command;
    let Some(code) = renew(ctx).await.or_said()? else { bail!("there is an admin, so everything is set up at /admin") };
    let address = format!("{}{SET_UP}", ctx.public_url);
    let shown = json!({ "code": code.shown(), "address": address });
    print::one(format, &shown, &format!("Open {address} and enter the code {}", code.shown()))
}
