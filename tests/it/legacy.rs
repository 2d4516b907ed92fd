//! Moving in: who becomes whom, which number counts, and that it happens once.

use atlas::legacy::bring_in::{Done, bring_in};
use atlas::legacy::columns::{Layout, Table};
use atlas::legacy::examine::{Findings, Reading, Trust, examine};
use atlas::legacy::history;
use atlas::legacy::run::Run;
use atlas::people::{self, SignedIn};
use domain::{Credits, OrderState};
use sqlx::PgPool;

use crate::stage::{OPERATOR, Stage};

const PEOPLE: &str = "id,email,credits,name";
const ORDERS: &str = "id,user_id,plan,credits,status,price,note,created_at,approved_at,approved_by";
const TRANSACTIONS: &str = "id,user_id,amount,type,description,created_at";

/// An old database: the rows of each table, with commas between the values.
#[derive(Default)]
struct Old<'a> {
    people: &'a [&'a str],
    orders: &'a [&'a str],
    transactions: &'a [&'a str],
}

/// An order as it is here: its plan's name, state and slug, the note, what it gave, and whether somebody answered.
type Kept = (String, OrderState, String, Option<String>, Option<i64>, bool);

const BY_BALANCE: Reading = Reading { trust: Trust::Balance, plans: Vec::new() };

impl Old<'_> {
    async fn read(&self, stage: &Stage) -> Run {
        let mut run = Run::begin(&stage.ctx, None).await.unwrap().unwrap();
        for (table, header, rows) in [
            (Table::People, PEOPLE, self.people),
            (Table::Orders, ORDERS, self.orders),
            (Table::Transactions, TRANSACTIONS, self.transactions),
        ] {
            let header: Vec<String> = header.split(',').map(str::to_owned).collect();
            let layout = Layout::of(table, &header).unwrap();
            for row in rows {
                let values: Vec<_> = row.split(',').map(|value| Some(value.as_bytes().to_vec())).collect();
                run.stage(&stage.ctx, &layout, &values).await.unwrap();
            }
        }
        run.staged(&stage.ctx).await.unwrap();
        run
    }

    async fn import(&self, stage: &Stage, reading: &Reading) -> (Findings, Done) {
        let run = self.read(stage).await;
        let findings = examine(&stage.ctx, &run, reading).await.unwrap();
        let (done, _) = bring_in(&stage.ctx, &run, &OPERATOR, |_| ()).await.unwrap();
        run.end().await.unwrap();
        stage.audits_clean().await;
        (findings, done)
    }
}

fn codes(findings: &Findings) -> Vec<&str> {
    findings.findings.iter().map(|finding| finding.damage.code()).collect()
}

async fn person(stage: &Stage, email: &str) -> SignedIn {
    let id = people::find(&stage.ctx.db, email).await.unwrap().unwrap();
    stage.again(id).await
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_balance_becomes_one_lot_and_a_second_import_changes_nothing(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let old = Old {
        people: &["p1,Ana@Example.com,75,Ana"],
        transactions: &["t1,p1,100,purchase,bought,2024-01-01", "t2,p1,-25,usage,a picture,2024-01-02"],
        ..Old::default()
    };
    let (findings, done) = old.import(&stage, &BY_BALANCE).await;
    assert_eq!(codes(&findings), Vec::<&str>::new());
    assert_eq!(done, Done { people: 1, lots: 1, orders: 0, transactions: 2 });
    let ana = person(&stage, "ana@example.com").await;
    assert_eq!(ana.balance().posted, Credits::new(75));
    let told: Vec<_> = history::newest(&stage.ctx.db, ana.id()).await.unwrap();
    assert_eq!(told.iter().map(|line| line.amount.get()).collect::<Vec<_>>(), [-25, 100]);

    let (findings, done) = old.import(&stage, &BY_BALANCE).await;
    assert_eq!((done, findings.people.there, findings.due()), (Done::default(), 1, 0));
    assert_eq!(stage.posted(&ana).await, 75);
    assert_eq!(stage.count("select count(*) from legacy_staged_people").await, 0, "nothing of them lies about");
    assert_eq!(stage.count("select count(*) from audit_entries where deed = 'legacy_imported'").await, 1);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn who_is_here_already_and_who_stands_there_twice_are_one_person_each(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let old = Old {
        people: &["p1,ANA@example.com,10,", "p2,bo@example.com,20,", "p3,Bo@example.com,30,", "p4,nobody,40,"],
        ..Old::default()
    };
    let (findings, _) = old.import(&stage, &Reading { trust: Trust::Balance, plans: Vec::new() }).await;
    assert_eq!(codes(&findings), ["balance_differs", "email_unusable", "email_doubled", "known_here"]);
    assert_eq!(stage.posted(&ana).await, 10);
    assert_eq!(person(&stage, "bo@example.com").await.balance().posted, Credits::new(50));
    assert_eq!(stage.count("select count(*) from user_profiles").await, 3);
    assert_eq!(
        stage
            .count("select count(*) from user_profiles where email is null and claimed_email like '%@address.invalid'")
            .await,
        1
    );
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_operator_says_which_number_counts_and_nobody_begins_below_zero(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let old = Old {
        people: &["p1,ana@example.com,75,", "p2,bo@example.com,-5,", "p3,cy@example.com,many,"],
        transactions: &["t1,p1,100,bonus,,", "t2,p2,-5,usage,,", "t3,p3,9,bonus,,"],
        ..Old::default()
    };
    let (findings, _) = old.import(&stage, &Reading { trust: Trust::History, plans: Vec::new() }).await;
    assert_eq!(codes(&findings), ["balance_differs", "balance_negative", "balance_unreadable"]);
    for (email, credits) in [("ana@example.com", 100), ("bo@example.com", 0), ("cy@example.com", 9)] {
        assert_eq!(person(&stage, email).await.balance().posted, Credits::new(credits), "{email}");
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_moved_in_the_old_system_after_the_import_is_told_and_not_booked(pool: PgPool) {
    let stage = Stage::new(pool).await;
    Old { people: &["p1,ana@example.com,75,"], ..Old::default() }.import(&stage, &BY_BALANCE).await;
    let later = Old {
        people: &["p1,ana@example.com,60,", "p2,bo@example.com,5,"],
        transactions: &["t1,p1,60,bonus,,", "t2,p2,5,bonus,,"],
        ..Old::default()
    };
    let (findings, done) = later.import(&stage, &BY_BALANCE).await;
    assert_eq!(codes(&findings), ["balance_moved"]);
    assert_eq!(done, Done { people: 1, lots: 1, orders: 0, transactions: 2 });
    assert_eq!(person(&stage, "ana@example.com").await.balance().posted, Credits::new(75));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn orders_come_as_manual_ones_under_the_plans_they_are_said_to_be(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let old = Old {
        people: &["p1,ana@example.com,0,", "p2,boss@example.com,0,"],
        orders: &[
            "o1,p1,Pro,25000,pending,32.50,Hurry please,2024-05-01 10:00:00+00,,",
            "o2,p1,Gold,7000,approved,9.99,,2024-05-01,2024-05-02,p2",
            "o3,p1,Platinum,9000,cancelled,,,2024-05-01,,",
        ],
        ..Old::default()
    };
    let reading = Reading { trust: Trust::Balance, plans: vec![("gold".to_owned(), "starter".to_owned())] };
    let (findings, done) = old.import(&stage, &reading).await;
    assert_eq!(codes(&findings), ["plan_unknown"]);
    assert_eq!((done.orders, findings.orders.waiting), (3, 1));
    let orders: Vec<Kept> = sqlx::query_as(
        "select o.plan_name, o.state, plan.slug, o.note, o.granted_credits, o.answered_by is not null
        from credit_orders o join plan_versions version on version.id = o.plan_version_id
        join plans plan on plan.id = version.plan_id order by o.credits",
    )
    .fetch_all(&stage.owner)
    .await
    .unwrap();
    let row = |plan: &str, state, slug: &str, note: Option<&str>, granted, answered| {
        (plan.to_owned(), state, slug.to_owned(), note.map(str::to_owned), granted, answered)
    };
    assert_eq!(
        orders,
        [
            row("Gold", OrderState::Approved, "starter", None, Some(7_000), true),
            row("Platinum", OrderState::Rejected, "legacy", None, None, false),
            row("Pro", OrderState::Requested, "pro", Some("Hurry please"), None, false),
        ]
    );
    let on_sale = stage.count("select count(*) from plans where slug = 'legacy' and on_sale").await;
    assert_eq!(on_sale, 0);
    assert_eq!(stage.count("select count(*) from credit_transactions").await, 0, "approved long ago, so not again");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn history_is_changed_by_nobody(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let old = Old { people: &["p1,ana@example.com,5,"], transactions: &["t1,p1,5,bonus,for Ana,"], ..Old::default() };
    old.import(&stage, &BY_BALANCE).await;
    for sql in [
        "update legacy_transactions set amount = 6",
        "update legacy_transactions set description = 'another story'",
        "delete from legacy_transactions",
        "truncate legacy_transactions",
        "update legacy_people set balance = 6",
        "delete from legacy_people",
    ] {
        for db in [&stage.ctx.db, &stage.owner] {
            let refused = sqlx::query(sql).execute(db).await.unwrap_err();
            assert_eq!(refused.as_database_error().unwrap().code().unwrap(), "42501", "{sql}");
        }
    }
    // What was written about somebody goes when they leave.
    sqlx::query("update legacy_transactions set description = ''").execute(&stage.ctx.db).await.unwrap();
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn only_one_import_runs_at_a_time(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let one = Run::begin(&stage.ctx, None).await.unwrap().unwrap();
    assert!(Run::begin(&stage.ctx, None).await.unwrap().is_none());
    one.end().await.unwrap();
    let other = Run::begin(&stage.ctx, None).await.unwrap().unwrap();
    other.end().await.unwrap();
}
