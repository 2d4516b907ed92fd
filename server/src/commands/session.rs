//! `atlas session`: ending sessions, one person's, one role's, or everybody's.

use anyhow::{Result, bail};
use atlas::Context;
use atlas::audit::{By, Origin, Who};
use atlas::people::find;
use atlas::people::sessions::{Ending, end_of};
use clap::{Args, Subcommand};
use domain::Role;
use serde_json::json;

use super::OrSaid as _;
use super::print::{self, Format};
use super::user::role;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// End sessions. Whoever had one has to sign in again, from the next request on.
    End {
        #[command(flatten)]
        whose: Whose,
        #[command(flatten)]
        format: Format,
    },
}

/// Whose.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Whose {
    /// Everybody's.
    #[arg(long)]
    all: bool,
    #[arg(long, value_name = "EMAIL")]
    person: Option<String>,
    #[arg(long, value_parser = role())]
    role: Option<Role>,
}

pub async fn run(ctx: &Context, command: Command) -> Result<()> {
    let Command::End { whose, format } = command;
    let ending = match (&whose.person, whose.role) {
        (Some(email), _) => match find(&ctx.db, email).await.or_said()? {
            Some(person) => Ending::Person(person),
            None => bail!("there is nobody with the email {email}"),
        },
        (None, Some(role)) => Ending::Role(role),
        (None, None) => Ending::All,
    };
    let by = By { who: Who::Operator("session end"), origin: &Origin::NONE };
    let ended = end_of(ctx, &by, ending).await.or_said()?;
    let sentence = match ended {
        1 => "One session is over.".to_owned(),
        many => format!("{many} sessions are over."),
    };
    print::one(format, &json!({ "ended": ended }), &sentence)
}
