#![expect(clippy::unwrap_used, reason = "tests")]

use sqlx::postgres::PgPoolOptions;

use super::*;

/// As the application connects.
fn as_application(owner: &PgPool) -> PgPool {
    let options = owner.connect_options().as_ref().clone().options([("role", atlas::APP_ROLE)]);
    PgPoolOptions::new().max_connections(1).connect_lazy_with(options)
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t80_a_role_with_too_many_rights_is_refused(pool: PgPool) {
    let said = refuse_too_many_rights(&pool).await.unwrap_err().to_string();
    assert!(said.contains("may write the ledger directly"), "{said}");
    refuse_too_many_rights(&as_application(&pool)).await.unwrap();
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t80_one_column_or_table_too_many_is_noticed(pool: PgPool) {
    for (grant, take_back) in [
        (
            "grant update (amount) on credit_entries to atlas_app",
            "revoke update (amount) on credit_entries from atlas_app",
        ),
        ("grant truncate on ledger_seals to atlas_app", "revoke truncate on ledger_seals from atlas_app"),
        ("alter table plans owner to atlas_app", "alter table plans owner to current_user"),
    ] {
        sqlx::query(grant).execute(&pool).await.unwrap();
        assert!(refuse_too_many_rights(&as_application(&pool)).await.is_err(), "{grant}");
        sqlx::query(take_back).execute(&pool).await.unwrap();
        refuse_too_many_rights(&as_application(&pool)).await.unwrap();
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t80_what_was_noted_must_stay(pool: PgPool) {
    let noted = "create table if not exists audit_entries (id bigint primary key)";
    sqlx::query(noted).execute(&pool).await.unwrap();
    refuse_too_many_rights(&as_application(&pool)).await.unwrap();
    sqlx::query("grant delete on audit_entries to atlas_app").execute(&pool).await.unwrap();
    let said = refuse_too_many_rights(&as_application(&pool)).await.unwrap_err().to_string();
    assert!(said.contains("audit_entries"), "{said}");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t80_a_public_shop_keeps_what_it_says(pool: PgPool) {
    let weak = [("role", atlas::APP_ROLE), ("synchronous_commit", "off")];
    let options = pool.connect_options().as_ref().clone().options(weak);
    let weak = PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
    let said = refuse_weak_durability(&weak, Standing::Public).await.unwrap_err().to_string();
    assert!(said.contains("synchronous_commit = off"), "{said}");
    refuse_weak_durability(&weak, Standing::Private).await.unwrap();
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t66_a_clock_that_is_minutes_off_is_refused(pool: PgPool) {
    let now = Clock::system().now();
    for minutes in [-10, 10] {
        let clock = Clock::standing_at(now + time::Duration::minutes(minutes));
        let said = refuse_another_time(&pool, &clock).await.unwrap_err().to_string();
        assert!(said.contains("s apart"), "{said}");
    }
    refuse_another_time(&pool, &Clock::standing_at(now + time::Duration::seconds(30))).await.unwrap();
}
