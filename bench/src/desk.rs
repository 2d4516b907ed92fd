//! How fast the pages come by which Atlas is looked after, in a shop with a million orders; and whether all of them can be
//! taken along as a file without the program growing.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use domain::paths;
use http::header;
use sqlx::PgPool;

use crate::figures::{milliseconds, percentile};
use crate::load;
use crate::pages::sign_in_as;
use crate::report::Table;
use crate::stand::Stand;

const ADMIN: &str = "admin@example.com";
const PASSWORD: &str = "admin-demo-password";
/// Each page so often, one after another.
const TIMES: usize = 40;
const ASKED_EVERY: Duration = Duration::from_millis(200);
const LIST_AIM: Duration = Duration::from_millis(100);
const OVERVIEW_AIM: Duration = Duration::from_millis(200);
const SEED: &str = include_str!("desk/seed.sql");
/// Something that every page has, and no refusal.
const PROOF: &str = "aria-label=\"Administration\"";

const OVERVIEWS: [&str; 4] =
    ["", "?period=today", "?period=90d&zone=Asia/Kathmandu", "?period=12m&zone=America/New_York"];
const LISTS: [&str; 29] = [
    "/admin/orders",
    "/admin/orders?sort=oldest",
    "/admin/orders?state=requested",
    "/admin/orders?state=approved",
    "/admin/orders?state=paid",
    "/admin/orders?state=failed&provider=whop&sort=oldest",
    "/admin/orders?provider=manual",
    "/admin/orders?provider=stripe",
    "/admin/orders?state=paid&provider=manual",
    "/admin/orders?from=2026-06-01&to=2026-06-02&state=expired",
    "/admin/orders?sort=last-settled",
    "/admin/orders?sort=first-settled&state=paid",
    "/admin/orders?sort=last-settled&provider=stripe",
    "/admin/orders?sort=first-settled&from=2026-06-01&to=2026-06-02",
    "/admin/orders?q=person4711",
    "/admin/orders?q=person1",
    "/admin/orders?q=pay_seed4711_3",
    "/admin/orders?q=nobody",
    "/admin/people",
    "/admin/people?q=person1",
    "/admin/people?q=nobody",
    "/admin/events",
    "/admin/events?state=quarantined",
    "/admin/events?state=parked",
    "/admin/plans",
    "/admin/audit",
    "/admin/approvals",
    "/admin/disputes",
    "/admin/settings",
];
/// What is chosen of one plan, the only one that the seed sells.
const OF_A_PLAN: [&str; 4] =
    ["", "&sort=last-settled", "&state=failed&sort=oldest", "&provider=stripe&sort=first-settled"];

pub async fn measure(stand: &Stand) -> Result<Table> {
    println!("  seeding");
    sqlx::raw_sql(SEED).execute(&stand.owner).await.context("seeding")?;
    sqlx::query("vacuum analyze").execute(&stand.owner).await?;
    count_anew(&stand.owner).await?;
    println!("  measuring");
    let cookie = sign_in_as(stand, ADMIN, PASSWORD).await?;
    let mut table = Table::new(
        "Desk",
        "Pages for admins with 1,000,000 orders, 5,000,000 entries of the ledger and 300,000 events, one after another over one \
        connection, 40 times each, from the request to the last byte.",
        &["page", "p50", "p95", "aim"],
    );
    let overviews = OVERVIEWS.map(|query| (format!("{}{query}", paths::ADMIN), OVERVIEW_AIM));
    let lists = LISTS.map(|page| (page.to_owned(), LIST_AIM));
    let first = "select plan_id::text from plan_versions order by id limit 1";
    let plan: String = sqlx::query_scalar(first).fetch_one(&stand.owner).await?;
    let of_a_plan = OF_A_PLAN.map(|query| (format!("{}?plan={plan}{query}", paths::ADMIN_ORDERS), LIST_AIM));
    let mut missed = 0;
    for (page, aim) in overviews.into_iter().chain(lists).chain(of_a_plan) {
        let times = look(stand, &page, &cookie).await?;
        let (half, most) = (percentile(times.clone(), 50), percentile(times, 95));
        missed += usize::from(most > aim);
        table.row([format!("`{page}`"), milliseconds(half), milliseconds(most), milliseconds(aim)]);
    }
    table.note(if missed == 0 { "All are within their aim.".to_owned() } else { format!("{missed} miss their aim.") });
    table.note(file(stand, &cookie).await?);
    Ok(table)
}

/// As an operator does after writing rows past the triggers.
async fn count_anew(owner: &PgPool) -> Result<()> {
    sqlx::query("select figures_recount()").execute(owner).await?;
    sqlx::query("delete from figure_sales").execute(owner).await?;
    loop {
        let folded: i64 = sqlx::query_scalar("select figures_fold(200000)").fetch_one(owner).await?;
        // None, too, while the program's own job is at it.
        let left: i64 = sqlx::query_scalar(
            "select count(*) from credit_transactions where (epoch, xid, id) > (
                (select epoch from figure_marks), (select xid from figure_marks), (select transaction_id from figure_marks))",
        )
        .fetch_one(owner)
        .await?;
        // Counted by the program's job, each minute.
        let uncounted: i64 = sqlx::query_scalar(
            "select count(*) from plan_versions where id not in (select plan_version_id from figure_sales)",
        )
        .fetch_one(owner)
        .await?;
        if folded == 0 && left == 0 && uncounted == 0 {
            break;
        }
        tokio::time::sleep(ASKED_EVERY).await;
    }
    sqlx::query("vacuum analyze figures").execute(owner).await?;
    Ok(())
}

async fn look(stand: &Stand, page: &str, cookie: &str) -> Result<Vec<Duration>> {
    let message = load::get(stand.atlas(), page, Some(cookie))?;
    let left = std::sync::atomic::AtomicUsize::new(TIMES + 2);
    let next = move || {
        let before = left.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
        (before > 0 && before <= TIMES + 2).then(|| message.clone())
    };
    let answers = load::drive(stand.atlas(), 1, Duration::from_mins(1), PROOF, next).await?;
    // The first two find nothing in memory.
    Ok(answers.times.into_iter().skip(2).collect())
}

/// All orders as a file: how long it takes, and how much the program grows meanwhile.
async fn file(stand: &Stand, cookie: &str) -> Result<String> {
    let process = stand.atlas_process().context("Atlas has ended")?;
    let before = resident_kib(process)?;
    let began = Instant::now();
    let url = format!("http://{}{}", stand.atlas(), paths::ADMIN_ORDERS_CSV);
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_mins(10))
        .build()?;
    let mut answer = client.get(url).header(header::COOKIE, cookie).send().await?.error_for_status()?;
    let (mut bytes, mut lines, mut most) = (0, 0, before);
    while let Some(chunk) = answer.chunk().await? {
        bytes += chunk.len();
        lines += String::from_utf8_lossy(&chunk).matches('\n').count();
        most = most.max(resident_kib(process)?);
    }
    ensure!(lines > 1_000_000, "only {lines} lines came");
    Ok(format!(
        "`{}`: {lines} lines, {} MB in {} s; the program grew by {} MB at most.",
        paths::ADMIN_ORDERS_CSV,
        bytes / 1_000_000,
        began.elapsed().as_secs(),
        most.saturating_sub(before) / 1_000,
    ))
}

/// What a process has in memory (proc(5)).
fn resident_kib(process: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
