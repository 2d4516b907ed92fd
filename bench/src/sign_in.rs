//! Whether the time that an answer takes tells who has an account (T47): of signing in, signing up, and asking for a new
//! password.

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

/// What is asked: its name, where it is sent, and what is sent beside the address.
const FORMS: [(&str, &str, &str); 3] = [
    ("signing in", "sign-in", "&password=not+the+password&next="),
    ("signing up", "sign-up", "&password=a+password+like+any+other&next="),
    ("a new password", "forgot-password", ""),
];

/// Fails when the medians of one form are further apart than that.
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
    let mut table = Table::new(
        "Answers that tell nothing",
        "A wrong password, a new account, and a forgotten password, for 300 addresses that have an account and for 300 that \
        have none, in turns, one after the other, from many places.",
        &["", "p50", "p99"],
    );
    for (name, path, rest) in FORMS {
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for number in 1..=TRIES {
            known.push(answered(stand, path, &format!("{number}@known.example"), rest, number).await?);
            unknown.push(answered(stand, path, &format!("{number}@nobody.example"), rest, number + TRIES).await?);
        }
        let apart = typical(&known)?.abs_diff(typical(&unknown)?);
        for (whose, times) in [("with an account", known), ("without", unknown)] {
            let (half, most) = (percentile(times.clone(), 50), percentile(times, 99));
            table.row([format!("{name}, {whose}"), milliseconds(half), milliseconds(most)]);
        }
        table.note(format!("The medians of {name} are {} apart.", milliseconds(apart)));
        if apart > APART_MAX {
            bail!("{table}\nthe medians of {name} are more than {} apart", milliseconds(APART_MAX));
        }
    }
    Ok(table)
}

fn typical(times: &[Duration]) -> Result<Duration> {
    median(times.iter().copied()).context("nothing was measured")
}

/// How long it takes to be answered.
async fn answered(stand: &Stand, path: &str, email: &str, rest: &str, number: u16) -> Result<Duration> {
    let url = format!("http://{}", stand.atlas());
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(TIMEOUT).build()?;
    let [high, low] = number.to_be_bytes();
    let request = client
        .post(format!("{url}/do/{path}"))
        .header(header::ORIGIN, &url)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        // Each from elsewhere (RFC 2544), or the limits would answer.
        .header("x-forwarded-for", format!("198.18.{high}.{low}"))
        .body(format!("email={}{rest}", email.replace('@', "%40")));
    let began = Instant::now();
    let answer = request.send().await.with_context(|| path.to_owned())?;
    let took = began.elapsed();
    if answer.status() != StatusCode::SEE_OTHER {
        bail!("/do/{path} was answered with {}", answer.status());
    }
    Ok(took)
}
