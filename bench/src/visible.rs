//! How long it takes from a delivery to the page that shows its credits: the buyer's own page, asked for as soon as the
//! delivery was answered.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use domain::{Credits, paths};
use http::header;

use crate::chaos;
use crate::figures::{milliseconds, percentile};
use crate::load;
use crate::pages::sign_in;
use crate::report::Table;
use crate::scene;
use crate::stand::Stand;
use crate::webhook::{Post, STORED};

const SHOWN: &str = paths::CREDITS;
const SAMPLES: usize = 100;
const ONCE: Duration = Duration::from_secs(10);

pub async fn measure(stand: &Stand) -> Result<Table> {
    let cookie = sign_in(stand).await?;
    let client = chaos::client(ONCE)?;
    let url = format!("http://{}{SHOWN}", stand.atlas());
    let post = Post::new(stand.atlas(), &stand.webhook_secret)?;
    let orders = scene::orders_of(&stand.owner, scene::BUYER, i64::try_from(SAMPLES)?).await?;
    let (mut answered, mut visible) = (Vec::new(), Vec::new());
    for order in orders {
        let message = post.paid(&order)?;
        let began = Instant::now();
        once(stand, message, STORED).await?;
        answered.push(began.elapsed());
        let page = client.get(&url).header(header::COOKIE, &cookie).send().await?.error_for_status()?.text().await?;
        visible.push(began.elapsed());
        let balance = Credits::new(scene::balance(&stand.owner, scene::BUYER).await?).to_string();
        if !page.contains(&balance) {
            bail!("{SHOWN} does not show the {balance} credits");
        }
    }
    let mut table = Table::new(
        "Delivery to visible credit",
        "From sending the signed delivery to the last byte of the buyer's `/credits` that shows the new balance, one \
        after the other.",
        &["", "p50", "p99"],
    );
    for (what, times) in [("delivery answered", answered), ("credit on the page", visible)] {
        table.row([what.to_owned(), milliseconds(percentile(times.clone(), 50)), milliseconds(percentile(times, 99))]);
    }
    Ok(table)
}

async fn once(stand: &Stand, message: load::Message, proof: &'static str) -> Result<()> {
    let left = std::sync::Mutex::new(Some(message));
    let next = move || left.lock().ok()?.take();
    let answers = load::drive(stand.atlas(), 1, ONCE, proof, next).await.context("not answered as it should be")?;
    if answers.put_off > 0 {
        bail!("put off without any load");
    }
    Ok(())
}
