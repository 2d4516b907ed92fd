//! Whether the time that a refused sign-in takes tells who has an account (T47).

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use http::{StatusCode, header};

use crate::figures::{median, milliseconds, percentile};
use crate::report::Table;
use crate::scene;
use crate::stand::Stand;

const TRIES: u16 = 300;
const TIMEOUT: Duration = Duration::from_secs(10);
/// More would be told apart over a network.
const APART_MAX: Duration = Duration::from_millis(5);

/// Fails when the medians are further apart than that.
pub async fn measure(stand: &Stand) -> Result<Table> {
    // All of them with the password of the demo's buyer.
    sqlx::query(
        "with people as (
            insert into user_profiles (id, email, password_hash)
            select gen_random_uuid(), n || '@known.example', password_hash
            from generate_series(1, $2) n, user_profiles where email = $1 returning id
        )
        insert into credit_accounts (kind, owner_id) select 'wallet', id from people",
    )
    .bind(scene::BUYER)
    .bind(i32::from(TRIES))
    .execute(&stand.owner)
    .await?;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for number in 1..=TRIES {
        known.push(refused(stand, &format!("{number}@known.example"), number).await?);
        unknown.push(refused(stand, &format!("{number}@nobody.example"), number).await?);
    }
    let mut table = Table::new(
        "Refused sign-ins",
        "A wrong password for 300 addresses that have an account and for 300 that have none, in turns, one after the other, \
        from many places.",
        &["", "p50", "p99"],
    );
    let apart = typical(&known)?.abs_diff(typical(&unknown)?);
    for (what, times) in [("with an account", known), ("without", unknown)] {
        table.row([what.to_owned(), milliseconds(percentile(times.clone(), 50)), milliseconds(percentile(times, 99))]);
    }
    table.note(format!("The medians are {} apart.", milliseconds(apart)));
    if apart > APART_MAX {
        bail!("{table}\nthe medians are more than {} apart", milliseconds(APART_MAX));
    }
    Ok(table)
}

fn typical(times: &[Duration]) -> Result<Duration> {
    median(times.iter().copied()).context("nothing was measured")
}

/// How long it takes to be refused.
async fn refused(stand: &Stand, email: &str, number: u16) -> Result<Duration> {
    let url = format!("http://{}", stand.atlas());
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(TIMEOUT).build()?;
    let [high, low] = number.to_be_bytes();
    let request = client
        .post(format!("{url}/do/sign-in"))
        .header(header::ORIGIN, &url)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        // Each from elsewhere (RFC 2544), or the limits would answer.
        .header("x-forwarded-for", format!("198.18.{high}.{low}"))
        .body(format!("email={}&password=not+the+password&next=", email.replace('@', "%40")));
    let began = Instant::now();
    let answer = request.send().await.context("signing in")?;
    let took = began.elapsed();
    if answer.status() != StatusCode::SEE_OTHER {
        bail!("a wrong password was answered with {}", answer.status());
    }
    Ok(took)
}
