//! How fast a signed-in `/credits` comes from the server, beside a bare route and a `select 1`.

use std::time::Duration;

use anyhow::{Context as _, Result};
use domain::paths;
use http::header;

use crate::figures::{Rate, Ratio, median, milliseconds, percentile};
use crate::load::{self, Message};
use crate::reference;
use crate::report::Table;
use crate::scene::{self, BUYER, PASSWORD};
use crate::stand::Stand;

const CONNECTIONS: usize = 16;
const ROUNDS: usize = 3;
const WARM_UP: Duration = Duration::from_secs(2);
const AIM: Ratio = Ratio::thousandths(200);

/// One of the three that take turns.
struct Runner {
    what: &'static str,
    message: Message,
    address: std::net::SocketAddr,
    proof: &'static str,
    rates: Vec<Rate>,
    times: Vec<Duration>,
}

pub async fn measure(stand: &Stand, seconds: u64) -> Result<Table> {
    scene::live_through(&stand.owner).await?;
    let cookie = sign_in(stand).await?;
    let runner = |what, message, address, proof| Runner { what, message, address, proof, rates: vec![], times: vec![] };
    let (atlas, bare) = (stand.atlas(), stand.reference());
    let mut runners = [
        runner("`/credits`", load::get(atlas, paths::CREDITS, Some(&cookie))?, atlas, "Used for job 300"),
        runner("bare axum route", load::get(bare, reference::BARE, None)?, bare, "ok"),
        runner("`select 1`", load::get(bare, reference::SELECT, None)?, bare, "ok"),
    ];
    for runner in &mut runners {
        runner.run(WARM_UP).await?;
        (runner.rates, runner.times) = (vec![], vec![]);
    }
    for round in 1..=ROUNDS {
        for runner in &mut runners {
            runner.run(Duration::from_secs(seconds)).await?;
            println!("  round {round}: {} {} /s", runner.what, runner.rates.last().copied().unwrap_or_default());
        }
    }
    table(runners)
}

impl Runner {
    async fn run(&mut self, lasts: Duration) -> Result<()> {
        let message = self.message.clone();
        let next = move || Some(message.clone());
        let answers = load::drive(self.address, CONNECTIONS, lasts, self.proof, next).await?;
        self.rates.push(Rate::of(answers.times.len(), answers.lasted));
        self.times.extend(answers.times);
        Ok(())
    }
}

fn table(runners: [Runner; 3]) -> Result<Table> {
    let rate = |runner: &Runner| median(runner.rates.iter().copied()).context("no rounds");
    let (page, bare, select) = (rate(&runners[0])?, rate(&runners[1])?, rate(&runners[2])?);
    let mut table = Table::new(
        "Pages",
        "The HTML of a signed-in `/credits` (a buyer with 300 movements) over 16 kept-alive connections, beside a bare \
        axum route and one that sends `select 1` through a pool of the same size. The three take turns, three rounds; \
        medians.",
        &["", "per second", "p50", "p99", "`/credits` to this"],
    );
    for (runner, rate) in runners.into_iter().zip([page, bare, select]) {
        let p50 = milliseconds(percentile(runner.times.clone(), 50));
        let p99 = milliseconds(percentile(runner.times, 99));
        table.row([runner.what.to_owned(), rate.to_string(), p50, p99, page.to(rate).to_string()]);
    }
    let ratio = page.to(bare);
    table.note(if ratio >= AIM {
        format!("The aim, a ratio of {AIM} to the bare route, is met.")
    } else {
        format!("The aim is a ratio of {AIM} to the bare route; {ratio} is short of it.")
    });
    Ok(table)
}

/// Signs in by the form; the session's cookie.
pub async fn sign_in(stand: &Stand) -> Result<String> {
    let url = format!("http://{}", stand.atlas());
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(10))
        .build()?;
    let answer = client
        .post(format!("{url}/do/sign-in"))
        .header(header::ORIGIN, url)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(format!("email={}&password={PASSWORD}&next=", BUYER.replace('@', "%40")))
        .send()
        .await?;
    let cookies = answer.headers().get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.filter_map(|cookie| cookie.split(';').next());
    let sid = pairs.find(|pair| pair.starts_with("sid=")).context("signing in gave no cookie")?;
    Ok(sid.to_owned())
}
