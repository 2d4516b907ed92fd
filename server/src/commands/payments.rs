//! `atlas payments`: stopping checkouts, and letting them go on.

use anyhow::{Result, bail};
use atlas::audit::{By, Origin, Who};
use atlas::settings::{Message, payments_stopped, start_payments, stop_payments};
use atlas::{Context, Error};
use clap::Subcommand;
use serde_json::json;

use super::OrSaid as _;
use super::print::{self, Format};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open no more checkouts. Webhooks, refunds and spending go on.
    Stop {
        /// What buyers read instead of the buttons.
        #[arg(long)]
        message: String,
        #[command(flatten)]
        format: Format,
    },
    /// Open checkouts again.
    Start {
        #[command(flatten)]
        format: Format,
    },
    /// Whether checkouts are opened.
    Show {
        #[command(flatten)]
        format: Format,
    },
}

pub async fn run(ctx: &Context, command: Command) -> Result<()> {
    match command {
        Command::Stop { message, format } => {
            let message = Message::parse("message", &message).map_err(Error::Invalid).or_said()?;
            let by = By { who: Who::Operator("payments stop"), origin: &Origin::NONE };
            stop_payments(ctx, &by, &message).await.or_said()?;
            print::one(format, &json!({ "stopped": true }), "Payments are stopped, in every process within a second.")
        }
        Command::Start { format } => {
            let by = By { who: Who::Operator("payments start"), origin: &Origin::NONE };
            match start_payments(ctx, &by).await {
                Err(Error::NotFound) => bail!("payments are not stopped"),
                started => started.or_said()?,
            }
            print::one(format, &json!({ "stopped": false }), "Payments go on.")
        }
        Command::Show { format } => {
            let message = payments_stopped(&ctx.db).await.or_said()?.map(|stopped| stopped.message);
            let sentence = match &message {
                Some(message) => format!("Payments are stopped. Buyers read: {message}"),
                None => "Payments go on.".to_owned(),
            };
            print::one(format, &json!({ "stopped": message.is_some(), "message": message }), &sentence)
        }
    }
}
