//! Seals: everything is sealed once and in order, nobody waits, and no change below a seal goes unseen.

use atlas::ledger::audit::audit;
use atlas::ledger::seal::{Seal, last, seal};
use sqlx::{AssertSqlSafe, PgPool};

use crate::stage::{Stage, promo, usage};

async fn seals_all(stage: &Stage, at_once: i32) -> Vec<Seal> {
    stage.rests().await;
    let mut seals = Vec::new();
    while let Some(made) = seal(&stage.ctx.db, at_once).await.unwrap() {
        seals.push(made);
    }
    seals
}

async fn behind_all_guards(stage: &Stage, sql: &str) {
    let sql = format!("begin; set local session_replication_role = replica; {sql}; commit");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&stage.owner).await.unwrap();
}

async fn busy(pool: PgPool) -> Stage {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    for _ in 0..4 {
        stage.grants(&promo(&ana, 10)).await.unwrap();
    }
    for _ in 0..3 {
        stage.spends(&usage(&ana, 13)).await.unwrap();
    }
    stage
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn everything_is_sealed_once_in_a_chain(pool: PgPool) {
    let stage = busy(pool).await;
    let seals = seals_all(&stage, 3).await;
    let told: Vec<_> = seals.iter().map(|seal| (seal.number, seal.transactions)).collect();
    assert_eq!(told, [(1, 3), (2, 3), (3, 1)]);
    let entries: i64 = seals.iter().map(|seal| seal.entries).sum();
    assert_eq!(entries, stage.count("select count(*) from credit_entries").await);
    assert_eq!(seal(&stage.ctx.db, 3).await.unwrap(), None, "nothing new");

    stage.grants(&promo(&stage.buyer("ben").await, 1)).await.unwrap();
    stage.rests().await;
    let next = seal(&stage.ctx.db, 100).await.unwrap().unwrap();
    assert_eq!((next.number, next.transactions), (4, 1));
    assert_eq!(last(&stage.ctx.db).await.unwrap(), Some(next));
    let cut = "select count(*) from ledger_seals seal join ledger_seals before on before.number = seal.number - 1
        where seal.previous <> before.hash";
    assert_eq!(stage.count(cut).await, 0);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_is_under_way_is_sealed_when_it_has_ended_and_not_waited_for(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    let mut slow = stage.ctx.db.begin().await.unwrap();
    atlas::ledger::grant::grant(&mut slow, &promo(&ana, 1)).await.unwrap();
    stage.grants(&promo(&ben, 1)).await.unwrap();
    assert_eq!(seal(&stage.ctx.db, 100).await.unwrap(), None, "the later one rests behind the one under way");
    stage.grants(&promo(&ben, 1)).await.unwrap();
    slow.commit().await.unwrap();
    stage.rests().await;
    assert_eq!(seal(&stage.ctx.db, 100).await.unwrap().unwrap().transactions, 3);
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn sealers_at_once_make_one_chain(pool: PgPool) {
    let stage = busy(pool).await;
    stage.rests().await;
    let runs = futures::future::join_all((0..12).map(|_| seal(&stage.ctx.db, 1))).await;
    let mut numbers: Vec<_> = runs.into_iter().filter_map(Result::unwrap).map(|seal| seal.number).collect();
    numbers.extend(seals_all(&stage, 1).await.iter().map(|seal| seal.number));
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
    stage.audits_clean().await;
}

const TAMPERING: [&str; 10] = [
    "update credit_transactions set description = 'Given by nobody' where kind = 'grant'",
    "update credit_transactions set actor = 'someone' where kind = 'spend'",
    "update credit_transactions set created_at = created_at + interval '1 microsecond'",
    "update credit_transactions set order_id = id where kind = 'grant'",
    "update credit_transactions set xid = '3' where kind = 'spend'",
    "delete from credit_transactions where kind = 'spend'",
    "update credit_entries set counter_id = counter_id + 1 where amount < 0",
    "delete from credit_entries where line = 2",
    "insert into credit_entries (transaction_id, line, account_id, counter_id, lot_id, bucket, amount, account_seq, balance_after)
    select transaction_id, 99, account_id, counter_id, lot_id, bucket, 1, 99, 1 from credit_entries limit 1",
    "update ledger_seals set hash = sha256(hash) where number = 1",
];

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn no_change_below_a_seal_goes_unseen(pool: PgPool) {
    let stage = busy(pool).await;
    seals_all(&stage, 3).await;
    let kept = ["credit_transactions", "credit_entries", "ledger_seals"];
    for table in kept {
        behind_all_guards(&stage, &format!("create table kept_{table} as table {table}")).await;
    }
    for tampering in TAMPERING {
        stage.audits_clean().await;
        behind_all_guards(&stage, tampering).await;
        let findings = stage.findings().await;
        let broken = findings.iter().find(|finding| finding.invariant == "every seal fits the rows below it");
        assert!(broken.is_some_and(|finding| finding.rows > 0), "{tampering}: {findings:?}");
        for table in kept {
            let back =
                format!("delete from {table}; insert into {table} overriding system value select * from kept_{table}");
            behind_all_guards(&stage, &back).await;
        }
    }
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_seal_taken_away_or_slipped_in_is_seen(pool: PgPool) {
    let stage = busy(pool).await;
    seals_all(&stage, 3).await;
    behind_all_guards(&stage, "delete from ledger_seals where number = 2").await;
    assert!(stage.findings().await.iter().any(|finding| finding.invariant == "every seal fits the rows below it"));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn after_a_restored_dump_a_new_epoch_goes_on_with_the_chain(pool: PgPool) {
    let stage = busy(pool).await;
    // As in a fresh cluster: what was booked there has higher transaction numbers than are given out here.
    behind_all_guards(&stage, "update credit_transactions set xid = (xid::text::bigint + 1000000000)::text::xid8")
        .await;
    sqlx::raw_sql("select credits_begin_epoch()").execute(&stage.owner).await.unwrap();
    assert_eq!(seals_all(&stage, 100).await.len(), 1, "what came with the dump rests");
    sqlx::raw_sql("select credits_begin_epoch()").execute(&stage.owner).await.unwrap();
    stage.grants(&promo(&stage.buyer("ben").await, 1)).await.unwrap();
    stage.rests().await;
    let next = seal(&stage.ctx.db, 100).await.unwrap().unwrap();
    assert_eq!((next.number, next.transactions), (2, 1));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_dump_restored_without_a_new_epoch_is_not_sealed_over(pool: PgPool) {
    let stage = busy(pool).await;
    behind_all_guards(&stage, "update credit_transactions set xid = (xid::text::bigint + 1000000000)::text::xid8")
        .await;
    sqlx::raw_sql("select credits_begin_epoch()").execute(&stage.owner).await.unwrap();
    seals_all(&stage, 100).await;
    sqlx::raw_sql("alter table credit_transactions alter column epoch set default 1")
        .execute(&stage.owner)
        .await
        .unwrap();
    stage.grants(&promo(&stage.buyer("ben").await, 1)).await.unwrap();
    assert!(seal(&stage.ctx.db, 100).await.is_err());
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_was_booked_before_there_were_seals_is_sealed_first(pool: PgPool) {
    let stage = busy(pool).await;
    behind_all_guards(&stage, "update credit_transactions set xid = '0', epoch = 0 where kind = 'grant'").await;
    let seals = seals_all(&stage, 4).await;
    assert_eq!(seals.iter().map(|seal| seal.transactions).collect::<Vec<_>>(), [4, 3]);
    stage.audits_clean().await;
    assert_eq!(audit(&stage.ctx.db).await.unwrap().unsealed, 0);
}
