//! What stands in the database and waits for somebody: people, plans, jobs, mails, events, breaks, and the ledger's sums.

use atlas::Context;

use super::check::Check;
use crate::config::Config;

struct Counts {
    admins: i64,
    admins_alone: i64,
    plans: i64,
    jobs: i64,
    mails: i64,
    events: i64,
    breaks: i64,
    stopped: bool,
}

pub async fn checks(config: &Config, ctx: &Context) -> Vec<Check> {
    let (counts, sums) = futures::join!(counts(ctx), sums_agree(ctx));
    let mut checks = match counts {
        Ok(counts) => judge(config, &counts),
        Err(error) => {
            vec![Check::bad("People and books", format!("they can’t be read: {error}"), "Run atlas migrate.")]
        }
    };
    checks.push(ledger(sums));
    checks
}

async fn counts(ctx: &Context) -> Result<Counts, sqlx::Error> {
    sqlx::query_as!(
        Counts,
        r#"select
            count(*) filter (where person.role = 'admin') as "admins!",
            count(*) filter (where person.role = 'admin' and not exists (
                select from second_factors factor where factor.person_id = person.id and factor.on_since is not null
            )) as "admins_alone!",
            (select count(*) from plans where on_sale) as "plans!",
            (select count(*) from graphile_worker.jobs where attempts >= max_attempts and locked_at is null) as "jobs!",
            (select count(*) from mails where state = 'parked') as "mails!",
            (select count(*) from provider_events where state in ('quarantined', 'parked')) as "events!",
            (select count(*) from reconciliation_breaks where resolved_at is null) as "breaks!",
            exists (select from settings where name = 'payments_stopped') as "stopped!"
        from user_profiles person where person.deleted_at is null"#,
    )
    .fetch_one(&ctx.db)
    .await
}

fn judge(config: &Config, counts: &Counts) -> Vec<Check> {
    let waiting = |subject, count: i64, what: &str, mend: &str| match count {
        0 => Check::good(subject, "none waits for somebody"),
        count => Check::warning(subject, format!("{count} {what}"), mend),
    };
    vec![
        admins(config, counts),
        match counts.plans {
            0 => Check::bad("Plans", "none is on sale", "Run atlas plan defaults, or open /set-up."),
            count => Check::good("Plans", format!("{count} on sale")),
        },
        if counts.stopped {
            Check::warning("Payments", "they are stopped, so nobody can buy", "atlas payments start")
        } else {
            Check::good("Payments", "checkouts are opened")
        },
        waiting("Events", counts.events, "are in quarantine or parked", "Look at /admin/events, or atlas event list."),
        waiting("Jobs", counts.jobs, "were given up", "atlas job list says why; atlas job retry ID tries again."),
        waiting("Mails", counts.mails, "were given up", "atlas mail list --state parked; atlas mail retry --parked."),
        match counts.breaks {
            0 => Check::good("Reconciliation", "no break stands"),
            count => Check::bad(
                "Reconciliation",
                format!("{count} breaks stand between Whop’s payments and the books"),
                "atlas check --list names each; atlas reconcile takes in what is missing.",
            ),
        },
    ]
}

fn admins(config: &Config, counts: &Counts) -> Check {
    const SUBJECT: &str = "Admins";
    match (counts.admins, counts.admins_alone) {
        (0, _) => Check::bad(
            SUBJECT,
            "there is none",
            "Open /set-up with the code from the log, or run atlas user create EMAIL --role admin.",
        ),
        (count, alone) if alone > 0 && config.require_second_factor.is_on() => Check::warning(
            SUBJECT,
            format!("{alone} of {count} have no second factor yet"),
            "They are led to set one up when they sign in.",
        ),
        (count, alone) if alone > 0 => Check::warning(
            SUBJECT,
            format!("{alone} of {count} have no second factor"),
            "Leave ATLAS_REQUIRE_SECOND_FACTOR on where anybody but this machine gets in.",
        ),
        (1, _) => Check::good(SUBJECT, "one, with a second factor"),
        (count, _) => Check::good(SUBJECT, format!("{count}, each with a second factor")),
    }
}

/// Only the sums; `atlas ledger audit` looks at every row.
async fn sums_agree(ctx: &Context) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select wallets.posted = booked.posted and wallets.debt = booked.debt as "agree!"
        from (select coalesce(sum(posted), 0) as posted, coalesce(sum(debt), 0) as debt from credit_accounts) wallets,
            (select coalesce(sum(net), 0) as posted, coalesce(sum(debt_change), 0) as debt from credit_transactions) booked"#,
    )
    .fetch_one(&ctx.db)
    .await
}

fn ledger(agree: Result<bool, sqlx::Error>) -> Check {
    const SUBJECT: &str = "Ledger";
    match agree {
        Ok(true) => {
            Check::good(SUBJECT, "what was booked is what the wallets hold (atlas ledger audit checks every row)")
        }
        Ok(false) => Check::bad(
            SUBJECT,
            "the wallets do not hold what was booked",
            "Stop spending, keep the database as it is, and run atlas ledger audit: docs/incident.md.",
        ),
        Err(error) => Check::warning(
            SUBJECT,
            format!("the sums could not be taken: {error}"),
            "Run atlas ledger audit, which has no time limit.",
        ),
    }
}
