//! The audit sees every kind of damage. Each is done past all triggers and rights, and must be found by its name.

use atlas::ledger::audit::audit;
use atlas::ledger::seal::seal;
use domain::Credits;
use futures::future::join_all;
use sqlx::{AssertSqlSafe, PgPool};

use crate::stage::{Stage, promo, reservation, usage};

const KEPT: [&str; 9] = [
    "credit_accounts",
    "credit_transactions",
    "credit_lots",
    "credit_entries",
    "credit_holds",
    "credit_hold_lots",
    "ledger_seals",
    "payments",
    "credit_orders",
];

/// A wallet with a purchase, part of it taken back and part frozen, a gift, a spend over both, and a debt that was repaid.
/// Another that never owed, with a gift, spends, a hold that is open and one that was captured. All of it is sealed.
async fn busy(pool: PgPool) -> Stage {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.starts_checkout(&ana, "pro").await;
    stage.pays(&order, "pay_1").await;
    stage.grants(&promo(&ana, 100)).await.unwrap();
    stage.spends(&usage(&ana, 150)).await.unwrap();
    stage.owes(&ana, 30).await;
    stage.grants(&promo(&ana, 70)).await.unwrap();
    stage.takes_back("pay_1", 10, 20).await.unwrap();
    stage.grants(&promo(&ben, 20)).await.unwrap();
    stage.spends(&usage(&ben, 2)).await.unwrap();
    stage.spends(&usage(&ben, 3)).await.unwrap();
    stage.reserves(&reservation(&ben, 2)).await.unwrap();
    let hold = stage.reserves(&reservation(&ben, 9)).await.unwrap().hold;
    stage.captures(hold, 7).await.unwrap();
    stage.rests().await;
    seal(&stage.ctx.db, 100).await.unwrap().unwrap();
    stage
}

/// Runs statements with triggers and foreign keys switched off.
async fn behind_all_guards(stage: &Stage, sql: &str) {
    let sql = format!("begin; set local session_replication_role = replica; {sql}; commit");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&stage.owner).await.unwrap();
}

async fn keep(stage: &Stage) {
    let copies: Vec<String> = KEPT.iter().map(|table| format!("create table kept_{table} as table {table}")).collect();
    behind_all_guards(stage, &copies.join(";")).await;
}

async fn restore(stage: &Stage) {
    let mut back = Vec::new();
    for table in KEPT {
        let columns: String = sqlx::query_scalar(
            "select string_agg(column_name, ', ') from information_schema.columns
            where table_name = $1 and is_generated = 'NEVER'",
        )
        .bind(table)
        .fetch_one(&stage.owner)
        .await
        .unwrap();
        back.push(format!(
            "delete from {table}; insert into {table} ({columns}) overriding system value select {columns} from kept_{table}"
        ));
    }
    behind_all_guards(stage, &back.join(";")).await;
}

const DAMAGE: [(&str, &str); 45] = [
    (
        "a lot says what its transaction says",
        "update credit_lots set order_id = null where payment_id is not null and id = (select min(id) from credit_lots)",
    ),
    (
        "a lot says what its transaction says",
        "update credit_lots set account_id = (select max(id) from credit_accounts) where id = (select min(id) from credit_lots)",
    ),
    (
        "each entry's balance follows from the one before",
        "update credit_entries set balance_after = balance_after + 1 where account_seq = 3 and account_id = (select max(id) from credit_accounts)",
    ),
    (
        "each entry's balance follows from the one before",
        "update credit_entries set balance_after = 38 - balance_after where account_seq in (1, 2)
        and account_id = (select max(id) from credit_accounts)",
    ),
    (
        "each balance in the statement follows from the one before",
        "update credit_transactions set balance_after = balance_after - 1 where last_seq = 2
        and account_id = (select max(id) from credit_accounts)",
    ),
    (
        "each balance in the statement follows from the one before",
        "update credit_transactions set debt_after = 1 where last_seq = 2 and account_id = (select max(id) from credit_accounts)",
    ),
    (
        "a transaction says what its entries sum to",
        "update credit_transactions set net = net - 1 where last_seq = 2 and account_id = (select max(id) from credit_accounts)",
    ),
    (
        "a transaction says what its entries sum to",
        "update credit_transactions set net = -5 - net where last_seq in (2, 3)
        and account_id = (select max(id) from credit_accounts)",
    ),
    (
        "a transaction says what its entries sum to",
        "update credit_transactions set last_seq = last_seq + 10 where account_id = (select max(id) from credit_accounts)",
    ),
    (
        "an entry moves its transaction's wallet against a system account",
        "delete from credit_transactions where kind = 'spend' and account_id = (select max(id) from credit_accounts)",
    ),
    (
        "an entry moves its transaction's wallet against a system account",
        "update credit_entries set counter_id = 999999 where account_seq = 2",
    ),
    (
        "nothing is left between two wallets",
        "update credit_entries set counter_id = (select id from credit_accounts where code = 'transit') where account_seq = 1",
    ),
    ("a hold names lots for all it reserves", "update credit_hold_lots set amount = amount + 1"),
    ("a hold names lots for all it reserves", "delete from credit_hold_lots"),
    (
        "what was captured of a hold was booked once",
        "update credit_holds set captured = captured - 1 where state = 'captured'",
    ),
    ("what was captured of a hold was booked once", "delete from credit_transactions where kind = 'capture'"),
    ("what was captured of a hold was booked once", "delete from credit_holds where state = 'captured'"),
    (
        "what was taken back of a payment is between nothing and all that it granted",
        "update credit_transactions set net = net - 5000 where kind = 'clawback' and payment_id is not null",
    ),
    (
        "what is frozen of a payment was not taken back",
        "update credit_holds set amount = 4991 where payment_id is not null",
    ),
    ("every seal fits the rows below it", "update credit_transactions set actor = 'nobody' where kind = 'capture'"),
    ("a wallet holds what its entries sum to", "update credit_accounts set posted = posted + 1 where kind = 'wallet'"),
    ("a wallet holds what its entries sum to", "update credit_accounts set debt = 1 where kind = 'wallet'"),
    ("a wallet's entries are numbered without a gap", "update credit_accounts set seq = seq + 1 where kind = 'wallet'"),
    ("a wallet's entries are numbered without a gap", "delete from credit_entries where account_seq = 2"),
    (
        "a wallet's entries are numbered without a gap",
        "update credit_entries set account_seq = 0 where account_seq = 1",
    ),
    (
        "each entry's balance follows from the one before",
        "update credit_entries set balance_after = balance_after + 1 where account_seq = 2",
    ),
    ("a lot holds what its entries sum to", "update credit_lots set remaining = remaining - 1 where remaining > 0"),
    ("a lot begins with what it granted", "update credit_lots set granted = granted + 1 where source = 'promo'"),
    (
        "a lot begins with what it granted",
        "insert into credit_lots (account_id, transaction_id, source, priority, granted, remaining)
        select account_id, id, 'promo', 10, 5, 0 from credit_transactions where kind = 'spend'",
    ),
    (
        "an entry moves its transaction's wallet against a system account",
        "update credit_entries set counter_id = (select max(id) from credit_accounts where kind = 'wallet')
        where account_id = (select min(id) from credit_accounts where kind = 'wallet') and account_seq = 1",
    ),
    (
        "an entry moves its transaction's wallet against a system account",
        "update credit_transactions set last_seq = last_seq + 100,
            account_id = (select max(id) from credit_accounts where kind = 'wallet') where kind = 'spend'",
    ),
    ("a wallet holds what its lots hold", "update credit_lots set held = 1 where remaining > 0"),
    ("a lot is held for what open holds reserve of it", "update credit_lots set held = 1 where remaining > 0"),
    ("what is held is what open holds reserve", "update credit_accounts set held = 1 where posted > 0"),
    ("a transaction says what its entries sum to", "update credit_transactions set net = net + 1 where kind = 'spend'"),
    (
        "a transaction says what its entries sum to",
        "update credit_transactions set debt_change = debt_change + 1 where kind = 'spend'",
    ),
    (
        "each balance in the statement follows from the one before",
        "update credit_transactions set balance_after = balance_after + 1 where kind = 'spend'",
    ),
    (
        "repayments of debt cancel out",
        "update credit_entries set counter_id = (select id from credit_accounts where code = 'promo')
        where bucket = 'debt' and amount < 0",
    ),
    (
        "each collected payment granted exactly its order's credits once",
        "update credit_orders set credits = credits + 1 where state = 'paid'",
    ),
    (
        "each collected payment granted exactly its order's credits once",
        "update credit_orders set buyer_id = (select id from user_profiles where email = 'ben@example.com')",
    ),
    (
        "what was paid or approved gave its order's bonus once, and nothing else did",
        "update credit_orders set bonus_credits = 1 where state = 'paid'",
    ),
    (
        "what was paid or approved gave its order's bonus once, and nothing else did",
        "update credit_transactions set kind = 'bonus', scope = provider || ':bonus', key = payment_id
        where kind = 'grant' and payment_id is not null",
    ),
    ("an order is paid when a payment of it granted, and only then", "update credit_orders set state = 'paid'"),
    ("no payment granted without being collected", "update payments set state = 'pending'"),
    ("no payment granted without being collected", "update payments set granted_by = null"),
];

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn every_kind_of_damage_is_found_and_named(pool: PgPool) {
    let stage = busy(pool).await;
    keep(&stage).await;
    for (invariant, damage) in DAMAGE {
        stage.audits_clean().await;
        behind_all_guards(&stage, damage).await;
        let findings = stage.findings().await;
        let found = findings.iter().find(|finding| finding.invariant == invariant);
        assert!(found.is_some_and(|finding| finding.rows > 0), "{damage}: {findings:?}");
        restore(&stage).await;
    }
    stage.audits_clean().await;
}

#[test]
fn no_invariant_is_without_damage_that_shows_it() {
    let sources = [
        include_str!("../../../src/ledger/audit/holds.rs"),
        include_str!("../../../src/ledger/audit/lots.rs"),
        include_str!("../../../src/ledger/audit/payments.rs"),
        include_str!("../../../src/ledger/audit/seals.rs"),
        include_str!("../../../src/ledger/audit/wallets.rs"),
    ];
    let lines = sources.iter().flat_map(|source| source.lines());
    let checked = lines.filter_map(|line| line.trim_start().strip_prefix("select '")).map(|rest| {
        let (invariant, _) = rest.split_once("' as invariant").or_else(|| rest.split_once("',")).unwrap();
        invariant.replace("''", "'")
    });
    let mut seen = 0;
    for invariant in checked {
        assert!(DAMAGE.iter().any(|(named, _)| *named == invariant), "no damage shows that this is found: {invariant}");
        seen += 1;
    }
    assert_eq!(seen, 23, "as many as there are");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_audit_beside_writers_sees_one_moment(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.grants(&promo(&ana, 1_000)).await.unwrap();
    let spends: Vec<_> = (0..60).map(|_| usage(&ana, 3)).collect();
    let (moved, reports) = futures::future::join(
        join_all(spends.iter().map(|spend| stage.spends(spend))),
        join_all((0..20).map(|_| audit(&stage.ctx.db))),
    )
    .await;
    assert!(moved.iter().all(Result::is_ok));
    for report in reports {
        assert_eq!(report.unwrap().findings, []);
    }
    assert_eq!(stage.balance(&ana).await.posted, Credits::new(820));
}
