//! `atlas key`: API keys for applications that spend, or read.

use anyhow::{Result, bail};
use atlas::Context;
use atlas::api_keys::Scope;
use atlas::api_keys::activity::activity;
use atlas::api_keys::create::{NewApiKey, create};
use atlas::api_keys::list::{Listed, list};
use atlas::api_keys::revoke::revoke;
use atlas::audit::{By, Origin, Who};
use clap::Subcommand;
use domain::ApiKeyId;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::OrSaid as _;
use super::print::{self, Format};

const SCOPES: [&str; 2] = [Scope::Spend.as_str(), Scope::Read.as_str()];

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a key. It is shown this once.
    Create {
        /// Who holds it; the statement shows it where a spend has no description.
        #[arg(long)]
        name: String,
        /// Where its spends are booked: consumed:APP. Several keys may share it.
        #[arg(long, default_value = "app")]
        app: String,
        /// What it may do. May be repeated.
        #[arg(long = "scope", value_name = "SCOPE", value_parser = SCOPES, default_value = "spend")]
        scopes: Vec<String>,
        #[command(flatten)]
        format: Format,
    },
    /// The keys there are, without their secrets.
    List {
        #[command(flatten)]
        format: Format,
    },
    /// What was booked under a key: for when one leaked.
    Activity {
        /// Its id, as `atlas key list` shows it.
        id: String,
        /// From this time on: 2026-11-21T02:00:00Z
        #[arg(long, value_name = "TIME", value_parser = super::time)]
        since: Option<time::OffsetDateTime>,
        /// How many of the newest bookings to list, at most 10000.
        #[arg(long, default_value_t = 100)]
        limit: i64,
        #[command(flatten)]
        format: Format,
    },
    /// Take a key out of use, from the next request on.
    Revoke {
        /// Its id, as `atlas key list` shows it.
        id: String,
        #[command(flatten)]
        format: Format,
    },
}

pub async fn run(ctx: &Context, command: Command) -> Result<()> {
    match command {
        Command::Create { name, app, scopes, format } => {
            let scopes = scopes.iter().map(|scope| scope.parse()).collect::<atlas::Result<Vec<Scope>>>().or_said()?;
            let new = NewApiKey::parse(&name, &app, scopes).map_err(atlas::Error::Invalid).or_said()?;
            let by = By { who: Who::Operator("key create"), origin: &Origin::NONE };
            let created = create(ctx, &by, &new).await.or_said()?;
            let key = created.key.expose_secret();
            let shown = json!({ "id": created.id, "name": name, "counter": created.counter, "key": key });
            print::one(format, &shown, &format!("Key {} is made. It is not shown again: {key}", created.id))
        }
        Command::List { format } => {
            let rows = list(&ctx.db).await.or_said()?.iter().map(row).collect();
            let columns = [
                ("CREATED", "created_at"),
                ("NAME", "name"),
                ("BEGINS", "prefix"),
                ("SCOPES", "scopes"),
                ("BOOKED", "counter"),
                ("USED", "last_used_at"),
                ("REVOKED", "revoked_at"),
                ("ID", "id"),
            ];
            print::table(format, &columns, rows)
        }
        Command::Activity { id, since, limit, format } => {
            let key = ApiKeyId::from_uuid(super::parse_id(&id, "key")?);
            let found = match activity(&ctx.db, key, since, limit).await {
                Err(atlas::Error::NotFound) => bail!("there is no key {id}"),
                found => found.or_said()?,
            };
            if format.is_json() {
                return print::line(&serde_json::to_string_pretty(&found)?);
            }
            print::line(&format!(
                "{}: {} bookings, {} credits from {} wallets, booked against {}.",
                found.name, found.transactions, found.credits, found.wallets, found.counter
            ))?;
            let rows = found.newest.iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
            let columns = [
                ("AT", "at"),
                ("CREDITS", "credits"),
                ("PERSON", "person"),
                ("DESCRIPTION", "description"),
                ("KEY", "key"),
                ("TRANSACTION", "transaction"),
            ];
            print::table(format, &columns, rows)
        }
        Command::Revoke { id, format } => {
            let key = ApiKeyId::from_uuid(super::parse_id(&id, "key")?);
            let by = By { who: Who::Operator("key revoke"), origin: &Origin::NONE };
            match revoke(ctx, &by, key).await {
                Err(atlas::Error::NotFound) => bail!("there is no key {id}"),
                revoked => revoked.or_said()?,
            }
            print::one(format, &json!({ "id": id, "revoked": true }), &format!("Key {id} is revoked."))
        }
    }
}

fn row(key: &Listed) -> Value {
    json!({
        "id": key.id, "name": key.name, "prefix": key.prefix, "scopes": key.scopes.join(" "), "counter": key.counter,
        "created_at": super::instant(key.created_at), "revoked_at": key.revoked_at.and_then(super::instant),
        "last_used_at": key.last_used_at.and_then(super::instant),
    })
}
