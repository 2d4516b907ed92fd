//! `atlas event`: webhooks that arrived, and applying one again.

use anyhow::{Result, bail};
use atlas::Context;
use atlas::events::{Received, inbox, replay};
use clap::Subcommand;
use domain::EventId;
use serde_json::{Value, json};

use super::OrSaid as _;
use super::print::{self, Format};

const STATES: [&str; 6] = ["received", "applied", "ignored", "waiting", "quarantined", "parked"];

#[derive(Debug, Subcommand)]
pub enum Command {
    /// The newest events.
    List {
        /// Only events in this state.
        #[arg(long, value_parser = STATES)]
        state: Option<String>,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
        #[command(flatten)]
        format: Format,
    },
    /// Apply a quarantined or parked event again, once its cause is mended. Harmless for those already applied.
    Replay {
        /// Its id, as `atlas event list` shows it.
        id: String,
        #[command(flatten)]
        format: Format,
    },
}

pub async fn run(ctx: &Context, command: Command) -> Result<()> {
    match command {
        Command::List { state, limit, format } => {
            let rows = inbox::newest(&ctx.db, state.as_deref(), limit).await.or_said()?.iter().map(row).collect();
            let columns = [
                ("RECEIVED", "received_at"),
                ("STATE", "state"),
                ("REASON", "reason"),
                ("KIND", "kind"),
                ("OBJECT", "object_id"),
                ("ORDER", "order"),
                ("ID", "id"),
            ];
            print::table(format, &columns, rows)
        }
        Command::Replay { id, format } => {
            if ctx.providers.all().next().is_none() {
                bail!("replaying reads the event with its provider: set the WHOP_ variables as for the server");
            }
            let event = EventId::from_uuid(super::parse_id(&id, "event")?);
            let received = match replay::replay(ctx, event).await {
                Err(atlas::Error::NotFound) => bail!("there is no event {id}"),
                received => received.or_said()?,
            };
            let (outcome, sentence) = match received {
                Received::Applied => ("applied", "Applied: the order is up to date with it.".to_owned()),
                Received::Duplicate => ("duplicate", "Nothing to do: it was dealt with before.".to_owned()),
                Received::Ignored => ("ignored", "Ignored: it is of no concern to us.".to_owned()),
                Received::Waiting => {
                    ("waiting", "Still waiting: the payment that it is about is not known.".to_owned())
                }
                Received::Quarantined(why) => ("quarantined", format!("Still in quarantine: {why}.")),
                Received::Parked => ("parked", "Still parked: it failed again; the log says why.".to_owned()),
            };
            print::one(format, &json!({ "id": id, "outcome": outcome }), &sentence)
        }
    }
}

fn row(event: &inbox::Kept) -> Value {
    json!({
        "id": event.id, "received_at": super::instant(event.received_at), "provider": event.provider,
        "event_id": event.event_id, "kind": event.kind, "object_id": event.object_id, "state": event.state,
        "reason": event.reason, "order": event.order,
    })
}
