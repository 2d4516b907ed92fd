//! `atlas import`: moving in from the system before. First a report of what would be imported and what does not add up, then
//! the import, then the proof that what is here is what was read.

mod connection;
mod csv;
mod dump;
mod progress;
mod report;
mod source;

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use atlas::Context;
use atlas::audit::{By, Origin, Who};
use atlas::legacy::Proof;
use atlas::legacy::bring_in::{self, Done};
use atlas::legacy::columns::Layout;
use atlas::legacy::damage::{Damage, Gravity};
use atlas::legacy::examine::{Damaged, Findings, Reading, Trust, examine, rows};
use atlas::legacy::run::Run;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde_json::json;

use self::progress::Progress;
use self::source::Source;
use super::OrSaid as _;
use super::print::{self, Format};

const LOCK_TRIES: usize = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(250);

#[derive(Debug, Subcommand)]
pub enum Command {
    /// People, balances, orders and history of the old system: `user_profiles`, `credit_orders`, `credit_transactions`.
    Legacy(Legacy),
}

#[derive(Debug, Args)]
pub struct Legacy {
    /// A folder with a CSV file of each table, a plain dump (`pg_dump`), or a connection: postgres://…
    #[arg(value_name = "FILE")]
    from: String,
    /// Only say what would be imported and what does not add up.
    #[arg(long)]
    dry_run: bool,
    /// Import without asking.
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    /// Which number counts where a balance is not what its history sums to.
    #[arg(long, default_value = "balance", value_name = "WHICH", value_parser = trust())]
    trust: Trust,
    /// An old plan's name and the slug of ours; may be said several times: --plan 'Pro 2023=pro'
    #[arg(long = "plan", value_name = "OLD=SLUG", value_parser = plan)]
    plans: Vec<(String, String)>,
    /// Import nothing while something as grave as this is found [without a value: grave]
    #[arg(long, value_name = "GRAVITY", num_args = 0..=1, default_missing_value = "grave", value_parser = gravity())]
    strict: Option<Gravity>,
    /// List every row with this damage, by the code that the report has for it.
    #[arg(long, value_name = "CODE", requires = "dry_run", value_parser = damage())]
    rows: Option<Damage>,
    #[command(flatten)]
    format: Format,
}

fn damage() -> impl TypedValueParser<Value = Damage> {
    PossibleValuesParser::new(Damage::ALL.iter().map(|damage| damage.code()))
        .try_map(|code| Damage::of_code(&code).ok_or("no such code"))
}

fn trust() -> impl TypedValueParser<Value = Trust> {
    PossibleValuesParser::new(["balance", "history"])
        .map(|word| if word == "history" { Trust::History } else { Trust::Balance })
}

fn gravity() -> impl TypedValueParser<Value = Gravity> {
    PossibleValuesParser::new(["grave", "mended", "note"]).map(|word| match word.as_str() {
        "note" => Gravity::Note,
        "mended" => Gravity::Mended,
        _ => Gravity::Grave,
    })
}

fn plan(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((old, slug)) if !old.trim().is_empty() && !slug.trim().is_empty() => {
            Ok((old.trim().to_lowercase(), slug.trim().to_owned()))
        }
        _ => Err("write it as 'Old name=slug'".to_owned()),
    }
}

/// What there is to tell, as it becomes known.
struct Story<'a> {
    asked: &'a Legacy,
    ignored: Vec<String>,
    findings: Findings,
    rows: Vec<Damaged>,
    done: Option<(Done, Proof)>,
}

pub async fn run(ctx: &Context, command: Command) -> Result<()> {
    let Command::Legacy(asked) = command;
    let mut source = Source::open(&asked.from).await?;
    let hash = source.hash()?;
    let mut run = begin(ctx, hash).await?;
    let ignored = if run.is_staged() { Vec::new() } else { read(ctx, &mut source, &mut run).await? };
    let looking = Progress::begin("Comparing", None);
    let reading = Reading { trust: asked.trust, plans: asked.plans.clone() };
    let findings = examine(ctx, &run, &reading).await.or_said()?;
    looking.end();
    let rows = match asked.rows {
        Some(damage) => rows(ctx, damage).await.or_said()?,
        None => Vec::new(),
    };
    let mut story = Story { asked: &asked, ignored, findings, rows, done: None };
    if !asked.format.is_json() {
        report::findings(&story)?;
    }
    let held_up = asked.strict.filter(|limit| story.findings.gravest().is_some_and(|gravest| gravest >= *limit));
    if asked.dry_run || held_up.is_some() {
        run.drop_unless_begun(ctx).await.or_said()?;
        tell(&story, "Nothing was imported.")?;
        if let (false, Some(limit)) = (asked.dry_run, held_up) {
            bail!("--strict {limit}: findings as grave as that stand, so nothing was imported");
        }
        return Ok(());
    }
    if !(asked.yes || confirmed(&story.findings)?) {
        run.drop_unless_begun(ctx).await.or_said()?;
        return tell(&story, "Nothing was imported.");
    }
    let origin = Origin::NONE;
    let by = By { who: Who::Operator("import legacy"), origin: &origin };
    let read = run.read();
    let total = u64::try_from(read.people + read.orders + read.transactions).unwrap_or_default();
    let mut progress = Progress::begin("Importing", Some(total));
    progress.passed(bring_in::passed(ctx, &run).await.or_said()?);
    let done = bring_in::bring_in(ctx, &run, &by, |rows| progress.passed(rows)).await.or_said()?;
    progress.end();
    run.end().await.or_said()?;
    let sentence = report::done(&done.0, &done.1);
    story.done = Some(done);
    tell(&story, &sentence)
}

/// One that was killed holds its lock until the database has noticed.
async fn begin(ctx: &Context, hash: Option<[u8; 32]>) -> Result<Run> {
    for _ in 0..LOCK_TRIES {
        if let Some(run) = Run::begin(ctx, hash).await.or_said()? {
            return Ok(run);
        }
        tokio::time::sleep(LOCK_PAUSE).await;
    }
    bail!("another import is running; wait until it ends")
}

/// Into the database, as it is.
async fn read(ctx: &Context, source: &mut Source, run: &mut Run) -> Result<Vec<String>> {
    let mut ignored = Vec::new();
    let mut missing: Vec<&str> = atlas::legacy::columns::Table::ALL.iter().map(|table| table.name()).collect();
    let mut progress = Progress::begin("Reading", source.bytes());
    let mut row = Vec::new();
    while let Some(header) = source.next_table().await? {
        let name = header.table.name();
        let layout = Layout::of(header.table, &header.columns)?;
        ignored.extend(layout.ignored.iter().map(|column| format!("{name}.{column}")));
        if !missing.contains(&name) {
            bail!("{name} stands there twice; which one counts?");
        }
        missing.retain(|other| *other != name);
        while source.next_row(&mut row).await? {
            run.stage(ctx, &layout, &row).await.or_said()?;
            progress.at(source.bytes_read());
        }
    }
    if let [name, ..] = missing.as_slice() {
        bail!("there is no {name} in {}", source.name());
    }
    run.staged(ctx).await.or_said()?;
    progress.end();
    Ok(ignored)
}

/// A program that nobody watches must say `--yes`.
fn confirmed(findings: &Findings) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("say --yes to import, or --dry-run to only see what would be");
    }
    write!(std::io::stderr(), "Import {} rows? Type yes: ", findings.due())?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

fn tell(story: &Story<'_>, sentence: &str) -> Result<()> {
    let shown = if story.asked.format.is_json() { report::json(story) } else { json!(null) };
    print::one(story.asked.format, &shown, sentence).context("printing the report")
}
