//! How fast a signed-in `/credits` comes from the server, beside a page without data, a bare route and a `select 1`; and
//! where its time goes.

use std::time::Duration;

use anyhow::{Context as _, Result};
use domain::paths;
use http::header;

use crate::figures::{Rate, Ratio, median, milliseconds, percentile};
use crate::load::{self, Message};
use crate::report::Table;
use crate::scene::{self, BUYER, PASSWORD};
use crate::stand::Stand;
use crate::{processor, reference};

const CONNECTIONS: usize = 16;
const ROUNDS: usize = 3;
const WARM_UP: Duration = Duration::from_secs(2);
const AIM: Ratio = Ratio::thousandths(200);

/// One of the four that take turns.
struct Runner {
    what: &'static str,
    message: Message,
    address: std::net::SocketAddr,
    proof: &'static str,
    rates: Vec<Rate>,
    times: Vec<Duration>,
    took: Took,
}

/// Processor time.
#[derive(Debug, Clone, Copy, Default)]
struct Took {
    atlas: Duration,
    postgres: Duration,
}

pub async fn measure(stand: &Stand, seconds: u64) -> Result<Table> {
    scene::live_through(&stand.owner).await?;
    let cookie = sign_in(stand).await?;
    let runner = |what, message, address, proof| Runner {
        what,
        message,
        address,
        proof,
        rates: vec![],
        times: vec![],
        took: Took::default(),
    };
    let (atlas, bare) = (stand.atlas(), stand.reference());
    let mut runners = [
        runner("`/credits`", load::get(atlas, paths::CREDITS, Some(&cookie))?, atlas, "Used for job 300"),
        runner("`/sign-in`", load::get(atlas, paths::SIGN_IN, None)?, atlas, "Password"),
        runner("bare axum route", load::get(bare, reference::BARE, None)?, bare, "ok"),
        runner("`select 1`", load::get(bare, reference::SELECT, None)?, bare, "ok"),
    ];
    for runner in &mut runners {
        runner.run(stand, WARM_UP).await?;
        (runner.rates, runner.times, runner.took) = (vec![], vec![], Took::default());
    }
    for round in 1..=ROUNDS {
        for runner in &mut runners {
            runner.run(stand, Duration::from_secs(seconds)).await?;
            println!("  round {round}: {} {} /s", runner.what, runner.rates.last().copied().unwrap_or_default());
        }
    }
    table(runners)
}

impl Runner {
    async fn run(&mut self, stand: &Stand, lasts: Duration) -> Result<()> {
        let message = self.message.clone();
        let next = move || Some(message.clone());
        let before = Took::so_far(stand)?;
        let answers = load::drive(self.address, CONNECTIONS, lasts, self.proof, next).await?;
        let after = Took::so_far(stand)?;
        self.took.atlas += after.atlas.saturating_sub(before.atlas);
        self.took.postgres += after.postgres.saturating_sub(before.postgres);
        self.rates.push(Rate::of(answers.times.len(), answers.lasted));
        self.times.extend(answers.times);
        Ok(())
    }
}

impl Took {
    fn so_far(stand: &Stand) -> Result<Self> {
        let atlas = stand.atlas_process().context("Atlas has ended")?;
        Ok(Self {
            atlas: processor::time_of(atlas)?,
            postgres: processor::time_of_children(stand.postmaster_process()?)?,
        })
    }
}

fn table(runners: [Runner; 4]) -> Result<Table> {
    let rate = |runner: &Runner| median(runner.rates.iter().copied()).context("no rounds");
    let rates = [rate(&runners[0])?, rate(&runners[1])?, rate(&runners[2])?, rate(&runners[3])?];
    let (page, bare) = (rates[0], rates[2]);
    let profile = profile(&runners[0])?;
    let mut table = Table::new(
        "Pages",
        "The HTML of a signed-in `/credits` (a buyer with 300 movements) over 16 kept-alive connections, beside \
        `/sign-in` (a small page that asks the database nothing), a bare axum route and one that sends `select 1` \
        through a pool of the same size. They take turns, three rounds; medians.",
        &["", "per second", "p50", "p99", "`/credits` to this"],
    );
    for (runner, rate) in runners.into_iter().zip(rates) {
        let p50 = milliseconds(percentile(runner.times.clone(), 50));
        let p99 = milliseconds(percentile(runner.times, 99));
        table.row([runner.what.to_owned(), rate.to_string(), p50, p99, page.to(rate).to_string()]);
    }
    table.note(profile);
    let ratio = page.to(bare);
    table.note(if ratio >= AIM {
        format!("The aim, a ratio of {AIM} to the bare route, is met.")
    } else {
        format!("The aim is a ratio of {AIM} to the bare route; {ratio} is short of it.")
    });
    Ok(table)
}

/// Where the time of a page goes, and how many there could be if the database took none of it.
fn profile(page: &Runner) -> Result<String> {
    let pages = page.times.len();
    let each = |all: Duration| milliseconds(all / u32::try_from(pages).unwrap_or(u32::MAX).max(1));
    let processors = std::thread::available_parallelism()?.get();
    let bound = Rate::of(pages * processors, page.took.atlas);
    Ok(format!(
        "A `/credits` takes {} of processor time in Atlas and {} in PostgreSQL. Were the database and the load generator \
        for nothing, Atlas alone could fill {processors} processors with {bound} pages per second.",
        each(page.took.atlas),
        each(page.took.postgres),
    ))
}

/// Signs in as the demo's buyer; the session's cookie.
pub async fn sign_in(stand: &Stand) -> Result<String> {
    sign_in_as(stand, BUYER, PASSWORD).await
}

/// Signs in by the form; the session's cookie.
pub async fn sign_in_as(stand: &Stand, email: &str, password: &str) -> Result<String> {
    let url = format!("http://{}", stand.atlas());
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(10))
        .build()?;
    let answer = client
        .post(format!("{url}/do/sign-in"))
        .header(header::ORIGIN, url)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(format!("email={}&password={password}&next=", email.replace('@', "%40")))
        .send()
        .await?;
    let cookies = answer.headers().get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.filter_map(|cookie| cookie.split(';').next());
    let sid = pairs.find(|pair| pair.starts_with("sid=")).context("signing in gave no cookie")?;
    Ok(sid.to_owned())
}
