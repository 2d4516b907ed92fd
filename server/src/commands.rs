//! The operator's commands: each opens the database (or joins the running one), does one thing, and ends.

mod audit;
mod event;
mod import;
mod job;
mod key;
mod ledger;
mod mail;
mod order;
mod payments;
mod plan;
pub mod print;
mod reconcile;
mod rollout;
mod session;
mod set_up;
mod user;
mod vault;

use anyhow::{Context as _, Result};
use atlas::Context;
use atlas::clock::Clock;
use atlas::providers::Providers;
use atlas::set_up::whop::keys;
use clap::Subcommand;

use crate::cluster::WhenRunning;
use crate::config::Config;
use crate::database::Database;
use crate::{encryption, providers, seed};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Bring the database's schema up to date.
    Migrate,
    /// People with an account.
    #[command(subcommand)]
    User(user::Command),
    /// What is for sale.
    #[command(subcommand)]
    Plan(plan::Command),
    /// Orders and how they stand.
    #[command(subcommand)]
    Order(order::Command),
    /// Webhooks that arrived.
    #[command(subcommand)]
    Event(event::Command),
    /// Moving in from the system before.
    #[command(subcommand)]
    Import(import::Command),
    /// API keys of applications that spend on behalf of people, or read.
    #[command(subcommand)]
    Key(key::Command),
    /// The credits' bookkeeping.
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Who is signed in where: ending it.
    #[command(subcommand)]
    Session(session::Command),
    /// Stopping checkouts, and letting them go on.
    #[command(subcommand)]
    Payments(payments::Command),
    /// How many people are on Whop, the others ordering by request.
    #[command(subcommand)]
    Rollout(rollout::Command),
    /// Who did what: sign-ins, refusals, changes of rights.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Work that waits or was given up.
    #[command(subcommand)]
    Job(job::Command),
    /// What was, or would be, said by mail.
    #[command(subcommand)]
    Mail(mail::Command),
    /// What lies sealed in the database.
    #[command(subcommand)]
    Vault(vault::Command),
    /// The first steps, while there is no admin.
    #[command(subcommand)]
    SetUp(set_up::Command),
    /// Look through the provider's payments of some time, propose what is missing here, and apply it.
    Reconcile(reconcile::Reconcile),
    /// Compare the provider's payments, ours and the ledger. Fails when something does not add up.
    Check(reconcile::Check),
    /// Add the demo's plans and accounts. Never for production: the passwords are public.
    #[command(hide = true)]
    SeedDemo,
}

pub async fn run(config: &Config, command: Command) -> Result<()> {
    let database = Database::open(config, WhenRunning::Join).await?;
    let done = carry_out(config, &database, command).await;
    database.close().await;
    done
}

async fn carry_out(config: &Config, database: &Database, command: Command) -> Result<()> {
    let pool = database.command_pool().await?;
    let ctx = Context {
        db: pool.clone(),
        clock: Clock::system(),
        providers: Providers::default().by_default(config.payment_provider),
        public_url: config.public_url(config.listen),
        keeps_mail: false,
        staff_need_second_factor: config.require_second_factor.is_on(),
        vault: encryption::vault_of_command(config)?,
        whop_oauth: None,
        membership_rule: None,
    };
    // Only these ask a provider; the others work without keys.
    if matches!(command, Command::Event(_) | Command::Reconcile(_) | Command::Check(_)) {
        set_up_providers(config, &ctx).await?;
    }
    let done = match command {
        Command::Migrate => print::line("The schema is up to date."),
        Command::User(command) => user::run(&ctx, command).await,
        Command::Plan(command) => plan::run(&ctx, command).await,
        Command::Order(command) => order::run(&ctx, command).await,
        Command::Event(command) => event::run(&ctx, command).await,
        Command::Import(command) => import::run(&ctx, command).await,
        Command::Key(command) => key::run(&ctx, command).await,
        Command::Ledger(command) => ledger::run(&ctx, command).await,
        Command::Session(command) => session::run(&ctx, command).await,
        Command::Payments(command) => payments::run(&ctx, command).await,
        Command::Rollout(command) => rollout::run(&ctx, command).await,
        Command::Audit(command) => audit::run(&ctx, command).await,
        Command::Job(command) => job::run(&ctx, command).await,
        Command::Mail(command) => mail::run(&ctx, command).await,
        Command::Vault(command) => vault::run(&ctx, command).await,
        Command::SetUp(command) => set_up::run(&ctx, command).await,
        Command::Reconcile(asked) => reconcile::reconcile(&ctx, asked).await,
        Command::Check(asked) => reconcile::compare(&ctx, asked).await,
        Command::SeedDemo => seed::demo(&ctx).await,
    };
    pool.close().await;
    done
}

/// Without complete settings there are none: what needs one will say so.
async fn set_up_providers(config: &Config, ctx: &Context) -> Result<()> {
    if config.wrong().is_empty() {
        let keys = keys(ctx, &config.whop.given()).await.or_said()?;
        ctx.providers.set_up(providers::whop(config, &keys).unwrap_or_default().map(|whop| whop.provider));
    }
    Ok(())
}

/// The core's answers, as an operator should read them: with their causes, unlike on a page.
fn said(error: atlas::Error) -> anyhow::Error {
    match error {
        atlas::Error::Invalid(fields) => {
            let messages: Vec<String> = fields.iter().map(|(field, message)| format!("{field}: {message}")).collect();
            anyhow::anyhow!("{}", messages.join("\n"))
        }
        other => anyhow::Error::new(other),
    }
}

trait OrSaid<T> {
    fn or_said(self) -> Result<T>;
}

impl<T> OrSaid<T> for atlas::Result<T> {
    fn or_said(self) -> Result<T> {
        self.map_err(said)
    }
}

/// Ids are typed or pasted, so a wrong one is answered in words.
fn parse_id(text: &str, what: &str) -> Result<uuid::Uuid> {
    text.parse().ok().with_context(|| format!("{text} is no {what} id"))
}

/// UTC, as RFC 3339 has it.
fn instant(at: time::OffsetDateTime) -> Option<String> {
    at.format(&time::format_description::well_known::Rfc3339).ok()
}

/// A moment, as an option takes it.
fn time(text: &str) -> Result<time::OffsetDateTime> {
    time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339)
        .context("write it like 2026-11-21T02:00:00Z")
}
