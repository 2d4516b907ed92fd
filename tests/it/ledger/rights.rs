//! What nobody may do to the ledger: the application by its rights, the owner by triggers and constraints.

use atlas::ledger::audit::audit;
use sqlx::{AssertSqlSafe, PgPool};

use crate::stage::{Stage, promo, usage};

const LEDGER: [&str; 7] = [
    "credit_accounts",
    "credit_transactions",
    "credit_lots",
    "credit_entries",
    "credit_holds",
    "credit_hold_lots",
    "ledger_seals",
];

/// The SQLSTATE with which the statement is refused.
async fn refused(db: &PgPool, sql: &str) -> String {
    let Err(error) = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(db).await else {
        panic!("it was done: {sql}");
    };
    error.as_database_error().unwrap().code().unwrap().into_owned()
}

async fn moved(pool: PgPool) -> Stage {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.grants(&promo(&ana, 10)).await.unwrap();
    stage.spends(&usage(&ana, 4)).await.unwrap();
    stage
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_application_may_only_read_the_ledger(pool: PgPool) {
    let stage = moved(pool).await;
    let role: String = sqlx::query_scalar("select current_user::text").fetch_one(&stage.ctx.db).await.unwrap();
    assert_eq!(role, atlas::APP_ROLE);
    for table in LEDGER {
        let column: String = sqlx::query_scalar(
            "select column_name::text from information_schema.columns where table_name = $1 and column_name <> 'id'
            and is_updatable = 'YES' limit 1",
        )
        .bind(table)
        .fetch_one(&stage.owner)
        .await
        .unwrap();
        for sql in [
            format!("update {table} set {column} = {column}"),
            format!("delete from {table}"),
            format!("truncate {table} cascade"),
            format!("insert into {table} ({column}) select {column} from {table}"),
            format!("select * from {table} for update"),
            format!("alter table {table} disable trigger all"),
            format!("drop table {table} cascade"),
        ] {
            assert_eq!(refused(&stage.ctx.db, &sql).await, "42501", "{sql}");
        }
        sqlx::raw_sql(AssertSqlSafe(format!("select * from {table}"))).execute(&stage.ctx.db).await.unwrap();
    }
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_application_may_call_these_functions_and_no_other(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let callable: Vec<String> = sqlx::query_scalar(
        "select proname::text from pg_proc where pronamespace = 'public'::regnamespace
        and has_function_privilege($1, oid, 'execute') order by 1",
    )
    .bind(atlas::APP_ROLE)
    .fetch_all(&stage.owner)
    .await
    .unwrap();
    assert_eq!(
        callable,
        [
            "audit_broken",
            "audit_concerns",
            "audit_pseudonym",
            "audit_record",
            "credits_adjust",
            "credits_broken_seals",
            "credits_capture_batch",
            "credits_close_wallet",
            "credits_expire",
            "credits_grant",
            "credits_grant_batch",
            "credits_lock_wallets",
            "credits_open_application",
            "credits_open_wallet",
            "credits_release_batch",
            "credits_reserve_batch",
            "credits_seal",
            "credits_spend",
            "credits_spend_batch",
            "credits_take_back_batch",
            "credits_transfer_batch",
            "figure_spans",
            "figures_fold",
            "figures_in",
            "forget_event_bodies",
            "forget_notes",
            "known_as",
            "ledger_figures",
            // As before, for programs that are still running, and by plan and time of settling.
            "orders_chosen",
            "orders_chosen",
            "slowest_credits",
            "time_step",
        ]
    );
    let unsafe_definers = stage
        .count(
            "select count(*) from pg_proc where pronamespace = 'public'::regnamespace and prosecdef
            and not coalesce(array_to_string(proconfig, ',') like '%search_path=public, pg_temp%', false)",
        )
        .await;
    assert_eq!(unsafe_definers, 0, "each that runs as its owner pins where it looks for tables");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_application_changes_no_terms_and_owns_nothing(pool: PgPool) {
    let stage = Stage::new(pool).await;
    for sql in [
        "update plan_versions set credits = 1",
        "delete from plan_versions",
        "update plans set slug = 'x'",
        "update credit_orders set credits = 1",
        "update credit_orders set price_minor = 1",
        "update credit_orders set buyer_id = buyer_id",
        "delete from credit_orders",
        "update payments set order_id = order_id",
        "delete from payments",
        "update provider_events set body = ''",
        "delete from provider_events",
        "delete from user_profiles",
        "create table mine (id int)",
        "set session_replication_role = replica",
    ] {
        assert_eq!(refused(&stage.ctx.db, sql).await, "42501", "{sql}");
    }
    assert_eq!(
        stage
            .count("select count(*) from pg_class c join pg_roles r on r.oid = c.relowner and rolname = 'atlas_app'")
            .await,
        0
    );
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn even_the_owner_cannot_change_what_was_booked(pool: PgPool) {
    let stage = moved(pool).await;
    for table in ["credit_transactions", "credit_entries", "plan_versions"] {
        for sql in [
            format!("update {table} set created_at = created_at"),
            format!("delete from {table}"),
            format!("truncate {table} cascade"),
        ] {
            assert_eq!(refused(&stage.owner, &sql).await, "42501", "{sql}");
        }
    }
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn even_the_owner_cannot_change_a_seal_or_lose_an_account(pool: PgPool) {
    let stage = moved(pool).await;
    stage.rests().await;
    atlas::ledger::seal::seal(&stage.ctx.db, 100).await.unwrap().unwrap();
    for sql in [
        "update ledger_seals set sealed_at = sealed_at",
        "delete from ledger_seals",
        "truncate ledger_seals",
        "delete from credit_accounts where code = 'promo'",
        "delete from credit_accounts where kind = 'wallet'",
        "truncate credit_accounts cascade",
    ] {
        assert_eq!(refused(&stage.owner, sql).await, "42501", "{sql}");
    }
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn nothing_names_what_does_not_exist(pool: PgPool) {
    let stage = moved(pool).await;
    let cyd = stage.buyer("cyd").await;
    let paid = stage.purchase(&cyd, "pay_1", 40).await;
    stage.grants(&paid).await.unwrap();
    let nobody = "gen_random_uuid()";
    let transaction = |account: &str, order: &str, provider: &str, payment: &str| {
        format!(
            "insert into credit_transactions (id, account_id, kind, scope, key, request_hash, net, balance_after, debt_after,
                last_seq, actor, description, order_id, provider, payment_id)
            select gen_random_uuid(), {account}, 'spend', scope, key || '-again', request_hash, 1, 1, 0, 99, actor, description,
                {order}, {provider}, {payment}
            from credit_transactions limit 1"
        )
    };
    let lot = |transaction: &str| {
        format!(
            "insert into credit_lots (account_id, transaction_id, source, priority, granted, remaining)
            select account_id, {transaction}, 'transfer', 1, 1, 1 from credit_transactions limit 1"
        )
    };
    let entry = |transaction: &str, lot: &str| {
        format!(
            "insert into credit_entries (transaction_id, line, account_id, counter_id, lot_id, bucket, amount, account_seq,
                balance_after)
            select {transaction}, 9, l.account_id, 1, {lot}, 'posted', 1, 99, 1 from credit_lots l limit 1"
        )
    };
    let payment = |order: &str| {
        format!(
            "insert into payments (provider, payment_id, order_id, buyer_id, state)
            select provider, 'pay_2', {order}, buyer_id, 'created' from payments"
        )
    };
    let mail =
        |order: &str| format!("insert into mails (kind, subject, order_id) values ('receipt', 'pay_2', {order})");
    let event = |order: &str| {
        format!(
            "insert into provider_events (id, provider, event_id, kind, state, order_id, body, body_hash, secret, decided_at)
            values (gen_random_uuid(), 'whop', 'msg_1', 'x', 'ignored', {order}, '', sha256(''), 'current', now())"
        )
    };
    // Each is taken when what it names is there, and refused when it is not.
    let order = "(select order_id from payments)";
    let of_lot = "l.transaction_id";
    for (fits, dangles) in [
        (transaction("account_id", "null", "null", "null"), transaction("0", "null", "null", "null")),
        (transaction("account_id", order, "null", "null"), transaction("account_id", nobody, "null", "null")),
        (
            transaction("account_id", "null", "'whop'", "'pay_1'"),
            transaction("account_id", "null", "'whop'", "'pay_unknown'"),
        ),
        (lot("id"), lot(nobody)),
        (entry(of_lot, "l.id"), entry(nobody, "l.id")),
        (entry(of_lot, "l.id"), entry(of_lot, "0")),
        (payment(order), payment(nobody)),
        (mail(order), mail(nobody)),
        (event(order), event(nobody)),
    ] {
        assert_eq!(refused(&stage.owner, &dangles).await, "23503", "{dangles}");
        let mut tx = stage.owner.begin().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(fits)).execute(&mut *tx).await.unwrap();
        tx.rollback().await.unwrap();
    }
    sqlx::raw_sql(AssertSqlSafe(event(order))).execute(&stage.owner).await.unwrap();
    let elsewhere = "update provider_events set order_id = gen_random_uuid()";
    assert_eq!(refused(&stage.owner, elsewhere).await, "23503");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_is_named_stays_under_its_name(pool: PgPool) {
    let stage = moved(pool).await;
    let cyd = stage.buyer("cyd").await;
    let paid = stage.purchase(&cyd, "pay_1", 40).await;
    stage.grants(&paid).await.unwrap();
    for sql in [
        "delete from credit_lots",
        "delete from credit_orders",
        "delete from payments",
        "truncate credit_lots cascade",
        "truncate credit_orders cascade",
        "truncate payments cascade",
        "update credit_accounts set id = default where id = (select max(id) from credit_accounts)",
        "update credit_lots set id = default",
        "update credit_lots set account_id = 1",
        "update credit_lots set transaction_id = gen_random_uuid()",
        "update credit_orders set id = gen_random_uuid()",
        "update payments set payment_id = 'pay_2'",
        "update payments set order_id = gen_random_uuid()",
    ] {
        assert_eq!(refused(&stage.owner, sql).await, "42501", "{sql}");
    }
    stage.settled(vec!["pay_1".to_owned()]).await;
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_schema_refuses_what_must_never_be(pool: PgPool) {
    let stage = moved(pool).await;
    let ben = stage.buyer("ben").await;
    stage.grants(&promo(&ben, 5)).await.unwrap();
    for (sql, code) in [
        ("update credit_accounts set posted = -1 where kind = 'wallet'", "23514"),
        ("update credit_accounts set held = posted + 1 where kind = 'wallet'", "23514"),
        ("update credit_accounts set debt = -1 where kind = 'wallet'", "23514"),
        ("update credit_accounts set posted = 1 where kind = 'system'", "23514"),
        ("update credit_lots set remaining = granted + 1", "23514"),
        ("update credit_lots set remaining = -1", "23514"),
        ("update credit_lots set held = remaining + 1", "23514"),
        ("update credit_lots set granted = 0", "23514"),
        (
            "insert into credit_accounts (kind, owner_id) select kind, owner_id from credit_accounts where kind = 'wallet'",
            "23505",
        ),
        ("insert into credit_accounts (kind, code) values ('system', 'promo')", "23505"),
        ("insert into credit_accounts (kind) values ('wallet')", "23514"),
    ] {
        assert_eq!(refused(&stage.owner, sql).await, code, "{sql}");
    }
    // An entry about another wallet's lot, and one without any movement.
    let entry = "insert into credit_entries (transaction_id, line, account_id, counter_id, lot_id, bucket, amount, account_seq, balance_after)
        select t.id, 9, t.account_id, 1, ";
    let foreign = format!(
        "{entry} (select max(id) from credit_lots), 'posted', 1, 99, 1 from credit_transactions t order by t.id limit 1"
    );
    assert_eq!(refused(&stage.owner, &foreign).await, "23503");
    let empty = format!(
        "{entry} (select min(id) from credit_lots), 'posted', 0, 99, 1 from credit_transactions t order by t.id limit 1"
    );
    assert_eq!(refused(&stage.owner, &empty).await, "23514");
    let numbered_twice = format!(
        "{entry} (select min(id) from credit_lots), 'posted', 1, 1, 1 from credit_transactions t order by t.id limit 1"
    );
    assert_eq!(refused(&stage.owner, &numbered_twice).await, "23505");
    assert_eq!(audit(&stage.ctx.db).await.unwrap().wallets, 2);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t80_a_reader_reads_reports_and_neither_writes_nor_sees_what_opens_a_door(pool: PgPool) {
    let stage = moved(pool).await;
    let mut reader = stage.owner.acquire().await.unwrap();
    sqlx::raw_sql("set role atlas_reader").execute(&mut *reader).await.unwrap();
    for sql in [
        "select o.id, p.state from credit_orders o left join payments p on p.order_id = o.id",
        "select account_id, sum(amount) from credit_entries group by 1",
        "select email, name, role from user_profiles",
        "select state, count(*) from provider_events group by 1",
    ] {
        sqlx::raw_sql(sql).execute(&mut *reader).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    for sql in [
        "select password_hash from user_profiles",
        "select * from sessions",
        "select hash from api_keys",
        "select body from provider_events",
        "select * from known_devices",
        "select * from rate_limits",
        "update user_profiles set role = 'admin'",
        "delete from credit_orders",
        "insert into plans (id, slug, position) values (gen_random_uuid(), 'x', 1)",
        "select credits_open_wallet(gen_random_uuid())",
        "create table x (y int)",
    ] {
        let error =
            sqlx::raw_sql(sql).execute(&mut *reader).await.err().unwrap_or_else(|| panic!("it was done: {sql}"));
        assert_eq!(error.as_database_error().unwrap().code().unwrap(), "42501", "{sql}");
    }
    let writable: i64 = sqlx::query_scalar(
        "select count(*) from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v')
            and has_table_privilege('atlas_reader', oid, 'insert, update, delete, truncate')",
    )
    .fetch_one(&stage.owner)
    .await
    .unwrap();
    assert_eq!(writable, 0);
}
