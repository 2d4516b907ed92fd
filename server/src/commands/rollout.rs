//! `atlas rollout`: how many of all people are on Whop.

use anyhow::Result;
use atlas::audit::{By, Origin, Reason, Who};
use atlas::settings::rollout::{Percent, set_rollout};
use atlas::{Context, Error, settings};
use clap::Subcommand;
use serde_json::json;

use super::OrSaid as _;
use super::print::{self, Format};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// By which path people order.
    Show {
        #[command(flatten)]
        format: Format,
    },
    /// Put so many percent of all people on Whop; all others order by request. Who is in it stays in it when it grows.
    Set {
        /// A whole number from 0 to 100.
        percent: String,
        /// Why; it is written down.
        #[arg(long)]
        why: String,
        #[command(flatten)]
        format: Format,
    },
    /// Let the default decide for everybody again.
    End {
        /// Why; it is written down.
        #[arg(long)]
        why: String,
        #[command(flatten)]
        format: Format,
    },
}

pub async fn run(ctx: &Context, command: Command) -> Result<()> {
    match command {
        Command::Show { format } => show(ctx, format).await,
        Command::Set { percent, why, format } => {
            let percent = Percent::parse("percent", &percent).map_err(Error::Invalid).or_said()?;
            set(ctx, "rollout set", Some(percent), &why).await?;
            show(ctx, format).await
        }
        Command::End { why, format } => {
            set(ctx, "rollout end", None, &why).await?;
            show(ctx, format).await
        }
    }
}

async fn set(ctx: &Context, command: &'static str, percent: Option<Percent>, why: &str) -> Result<()> {
    let why = Reason::parse("why", why).map_err(Error::Invalid).or_said()?;
    let by = By { who: Who::Operator(command), origin: &Origin::NONE };
    set_rollout(ctx, &by, percent, &why).await.or_said()
}

async fn show(ctx: &Context, format: Format) -> Result<()> {
    let rules = settings::read(&ctx.db).await.or_said()?.rules(&ctx.providers);
    let percent = rules.rollout.map(Percent::get);
    let sentence = match percent {
        Some(percent) => format!("{percent} % of all people are on Whop; the others order by request."),
        None => format!("There is no rollout; the default for everybody is {}.", rules.default),
    };
    print::one(format, &json!({ "percent": percent, "default": rules.default.as_str() }), &sentence)
}
