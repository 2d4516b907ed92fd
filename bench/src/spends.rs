//! How many spends a second are made durable over HTTP, over many wallets and on a single one, beside PostgreSQL's own
//! TPC-B on the same cluster.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use domain::PersonId;
use http::{Request, header};
use http_body_util::Full;

use crate::chaos::spends::key_in;
use crate::figures::{Measured, Rate, median};
use crate::load::{self, Message};
use crate::report::Table;
use crate::scene;
use crate::stand::Stand;
use crate::tpcb::Tpcb;

pub const CONNECTIONS: usize = 64;
const ROUNDS: usize = 5;
const WALLETS: i64 = 1_000;
/// Applications: a key of one may be limited to so many a second.
const KEYS: usize = 16;
/// What an answer to a spend says.
pub const ANSWERED: &str = "\"balance\":";

pub async fn measure(stand: &Stand, seconds: u64) -> Result<Table> {
    let till = Till::open(stand).await?;
    let many = scene::wallets(&stand.owner, WALLETS).await?;
    let one = vec![*many.first().context("no wallets")?];
    let tpcb = Tpcb::prepare(stand).await?;
    let (mut reference, mut over_many, mut on_one) = (vec![], Measured::default(), Measured::default());
    for round in 1..=ROUNDS {
        reference.push(tpcb.run(seconds).await?);
        over_many.add(till.spend(stand, &many, seconds).await?);
        on_one.add(till.spend(stand, &one, seconds).await?);
        let last = |rates: &[Rate]| rates.last().copied().unwrap_or_default();
        println!(
            "  round {round}: {} spends/s over {WALLETS} wallets, {} on one, TPC-B {} /s",
            last(&over_many.rates),
            last(&on_one.rates),
            last(&reference)
        );
    }
    let median_reference = median(reference.iter().copied()).context("no rounds")?;
    let mut table = Table::new(
        "Spends",
        "`POST /api/v1/spend`, each under an idempotency key of its own, over 64 connections: answered 200 once the spend \
        is committed, with `fsync` and `synchronous_commit` on. Over 1,000 wallets, and on a single one. Beside it \
        `pgbench`'s TPC-B (16 clients, scale 16) on the same cluster. They take turns, five rounds; medians, and of the ratios within a round the median.",
        &["", "per second", "p50", "p99", "put off (503)", "to TPC-B"],
    );
    let none = String::new;
    table.row(over_many.row("over 1,000 wallets", &reference)?);
    table.row(on_one.row("on one wallet", &reference)?);
    table.row([
        "TPC-B".into(),
        median_reference.to_string(),
        none(),
        none(),
        none(),
        median_reference.to(median_reference).to_string(),
    ]);
    Ok(table)
}

/// Applications with keys, and the number of their next request.
#[derive(Clone)]
pub struct Till {
    address: SocketAddr,
    keys: Arc<[String]>,
    next: Arc<AtomicUsize>,
}

impl Till {
    pub async fn open(stand: &Stand) -> Result<Self> {
        let mut keys = Vec::new();
        for number in 0..KEYS {
            let name = format!("bench-{number}");
            keys.push(key_in(&stand.run_atlas(&["key", "create", "--name", &name, "--scope", "spend"]).await?)?);
        }
        Ok(Self { address: stand.atlas(), keys: keys.into(), next: Arc::default() })
    }

    /// The next request: one credit of one of these, in turn.
    pub fn request(&self, people: &[PersonId]) -> Result<Message> {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let (key, person) = (&self.keys[number % self.keys.len()], people[number % people.len()]);
        Ok(Request::post("/api/v1/spend")
            .header(header::HOST, self.address.to_string())
            .header(header::AUTHORIZATION, format!("Bearer {key}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", format!("bench-{number}"))
            .body(Full::from(format!(
                r#"{{"owner": "{person}", "credits": 1, "description": "Used for job {number}"}}"#
            )))?)
    }

    /// Spends for some seconds; every one that was answered has to be in the ledger, once.
    pub async fn spend(&self, stand: &Stand, people: &[PersonId], seconds: u64) -> Result<load::Answers> {
        let before = scene::spent(&stand.owner).await?;
        sqlx::query("checkpoint").execute(&stand.owner).await?;
        let (till, people) = (self.clone(), people.to_vec());
        let next = move || till.request(&people).ok();
        let answers = load::drive(self.address, CONNECTIONS, Duration::from_secs(seconds), ANSWERED, next).await?;
        let after = scene::spent(&stand.owner).await?;
        let answered = i64::try_from(answers.times.len())?;
        if (after.0 - before.0, after.1 - before.1) != (answered, answered) {
            bail!(
                "{answered} spends were answered with 200, but the ledger has {} of {}",
                after.0 - before.0,
                after.1 - before.1
            );
        }
        Ok(answers)
    }
}
