//! `atlas mail`: what was, or would be, said by mail.

use anyhow::{Result, bail};
use atlas::Context;
use atlas::notify::outbox::{self, Again};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::OrSaid as _;
use super::print::{self, Format};

const STATES: [&str; 5] = ["queued", "sent", "kept", "moot", "parked"];

#[derive(Debug, Subcommand)]
pub enum Command {
    /// The newest mails.
    List {
        /// Only mails in this state. Kept: no mail server is set up.
        #[arg(long, value_parser = STATES)]
        state: Option<String>,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
        #[command(flatten)]
        format: Format,
    },
    /// What a mail says, made from what is true now.
    Show {
        /// Its id, as `atlas mail list` shows it.
        id: i64,
        #[command(flatten)]
        format: Format,
    },
    /// Send a mail that was parked or kept, or all that are parked, once the cause is mended.
    Retry {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        format: Format,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// Its id, as `atlas mail list` shows it.
    id: Option<i64>,
    /// All that are parked.
    #[arg(long)]
    parked: bool,
}

pub async fn run(ctx: &Context, command: Command) -> Result<()> {
    match command {
        Command::List { state, limit, format } => {
            let rows = outbox::newest(&ctx.db, state.as_deref(), limit).await.or_said()?.iter().map(row).collect();
            let columns = [
                ("ID", "id"),
                ("CREATED", "created_at"),
                ("STATE", "state"),
                ("KIND", "kind"),
                ("ABOUT", "subject"),
                ("TRIES", "tries"),
                ("ERROR", "error"),
            ];
            print::table(format, &columns, rows)
        }
        Command::Show { id, format } => {
            let mail = match outbox::show(ctx, id).await {
                Err(atlas::Error::NotFound) => bail!("there is no mail {id}"),
                mail => mail.or_said()?,
            };
            let Some(mail) = mail else {
                return print::one(
                    format,
                    &json!({ "id": id, "moot": true }),
                    "It is no longer true, so it says nothing.",
                );
            };
            let to = if mail.to.is_empty() { "the admins".to_owned() } else { mail.to.join(", ") };
            let shown = json!({
                "id": id, "moot": false, "to": mail.to, "subject": mail.subject, "text": mail.text, "html": mail.html,
            });
            print::one(format, &shown, &format!("To: {to}\nSubject: {}\n\n{}", mail.subject, mail.text))
        }
        Command::Retry { which, format } => {
            let again = which.id.map_or(Again::Parked, Again::One);
            let mails = outbox::retry(&ctx.db, again).await.or_said()?;
            if mails == 0 && which.id.is_some() {
                bail!("no such mail is parked or kept");
            }
            print::one(
                format,
                &json!({ "mails": mails }),
                &format!("{mails} queued; the running server sends them within a minute."),
            )
        }
    }
}

fn row(mail: &outbox::Listed) -> Value {
    json!({
        "id": mail.id, "created_at": super::instant(mail.created_at), "state": mail.state, "kind": mail.kind,
        "subject": mail.subject, "tries": mail.tries, "error": mail.error,
        "sent_at": mail.sent_at.and_then(super::instant),
    })
}
