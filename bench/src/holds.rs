//! How many times a second credits are reserved and then captured, by `pgbench` through the ledger's own functions,
//! beside TPC-B at the same concurrency on the same cluster. (There is no HTTP route for it yet.)

use anyhow::{Context as _, Result, bail};

use crate::figures::median;
use crate::report::Table;
use crate::scene;
use crate::stand::Stand;
use crate::tpcb::Tpcb;

const ROUNDS: usize = 3;
const WALLETS: i64 = 1_000;
/// Two commits: nothing is known of the amount yet when it is reserved.
const PAIR: &str = "\\set wallet random(1, 1000)
select gen_random_uuid() as hold, owner as owner from bench_wallets where place = :wallet \\gset
select outcome from credits_reserve_batch(array[:hold::uuid], array['bench'], array[:hold::text], array[:owner::uuid], \
array[5::bigint], array[now() + interval '1 hour']);
select outcome from credits_capture_batch(array[gen_random_uuid()], array[:hold::uuid], array[5::bigint], \
array['consumed:app'], array['bench'], array['Used for a job']);
";

pub async fn measure(stand: &Stand, seconds: u64) -> Result<Table> {
    let people = scene::wallets(&stand.owner, WALLETS).await?;
    sqlx::query("create table bench_wallets (place integer primary key, owner uuid not null)")
        .execute(&stand.owner)
        .await?;
    sqlx::query(
        "insert into bench_wallets select place, owner from unnest($1::uuid[]) with ordinality as o (owner, place)",
    )
    .bind(&people)
    .execute(&stand.owner)
    .await?;
    let tpcb = Tpcb::prepare(stand).await?;
    let (mut pairs, mut reference) = (vec![], vec![]);
    for round in 1..=ROUNDS {
        let before = captured(stand).await?;
        let (rate, count) = tpcb.run_script(stand, PAIR, seconds).await?;
        let done = captured(stand).await? - before;
        if done != count {
            bail!("{count} pairs were answered, but {done} holds are captured");
        }
        pairs.push(rate);
        reference.push(tpcb.run(seconds).await?);
        println!("  round {round}: {rate} pairs/s, TPC-B {} /s", reference.last().copied().unwrap_or_default());
    }
    sqlx::query("drop table bench_wallets").execute(&stand.owner).await?;
    let (pairs, reference) = (median(pairs).context("no rounds")?, median(reference).context("no rounds")?);
    let mut table = Table::new(
        "Reserve and capture",
        "Five credits of one of 1,000 wallets are reserved, and captured in a second transaction, by `pgbench` with 16 \
        clients. Beside it TPC-B with as many on the same cluster. They take turns, three rounds; medians.",
        &["", "per second", "to TPC-B"],
    );
    table.row(["reserve and capture".into(), pairs.to_string(), pairs.to(reference).to_string()]);
    table.row(["TPC-B".into(), reference.to_string(), reference.to(reference).to_string()]);
    Ok(table)
}

async fn captured(stand: &Stand) -> Result<i64> {
    Ok(sqlx::query_scalar("select count(*) from credit_holds where state = 'captured'").fetch_one(&stand.owner).await?)
}
