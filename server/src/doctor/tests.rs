//! What stands in a database, made bad and mended.

#![expect(clippy::unwrap_used, reason = "tests")]

use clap::Parser;
use sqlx::PgPool;

use super::check::{Check, Verdict};
use super::{books, context};
use crate::config::Config;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    config: Config,
}

fn config() -> Config {
    Cli::try_parse_from(["atlas", "--payment-provider", "manual"]).unwrap().config
}

async fn books(pool: &PgPool) -> Vec<Check> {
    let config = config();
    books::checks(&config, &context(&config, pool.clone())).await
}

fn verdict(checks: &[Check], subject: &str) -> Verdict {
    checks.iter().find(|check| check.subject == subject).unwrap().verdict
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_waits_for_somebody_is_said_and_a_ledger_that_does_not_add_up_is_bad(pool: PgPool) {
    let fresh = books(&pool).await;
    assert_eq!((verdict(&fresh, "Admins"), verdict(&fresh, "Plans")), (Verdict::Bad, Verdict::Bad));
    let subjects = ["Events", "Jobs", "Mails", "Reconciliation", "Payments", "Ledger"];
    for subject in subjects {
        assert_eq!(verdict(&fresh, subject), Verdict::Good, "{subject}");
    }
    for statement in [
        "insert into provider_events (id, provider, event_id, kind, state, reason, body, body_hash, secret, decided_at)
            values (gen_random_uuid(), 'whop', 'evt_1', 'payment.succeeded', 'parked', 'failed', '{}', sha256('{}'), 'current', now())",
        "select graphile_worker.add_job('send_mails', '{}'::json)",
        "update graphile_worker._private_jobs set attempts = max_attempts",
        "insert into mails (kind, subject, state) values ('break', '1', 'parked')",
        "insert into reconciliation_breaks (kind, subject, detail, first_seen, last_seen)
            values ('unknown_payment', 'pay_1', 'it is not ours', now(), now())",
        "insert into settings (name, value, changed_at) values ('payments_stopped', '{\"message\": \"Later\"}', now())",
        "insert into user_profiles (id, email, password_hash, role) values (gen_random_uuid(), 'boss@example.com', '', 'admin')",
        "insert into credit_accounts (kind, owner_id, posted) select 'wallet', id, 5 from user_profiles",
        "insert into plans (id, slug, position) values (gen_random_uuid(), 'starter', 1)",
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    let now = books(&pool).await;
    let is = subjects.map(|subject| verdict(&now, subject));
    let warns = Verdict::Warning;
    assert_eq!(is, [warns, warns, warns, Verdict::Bad, warns, Verdict::Bad]);
    assert_eq!((verdict(&now, "Admins"), verdict(&now, "Plans")), (warns, Verdict::Good));
    assert!(now.iter().all(|check| check.verdict == Verdict::Good || check.mend.is_some()), "{now:?}");
}
