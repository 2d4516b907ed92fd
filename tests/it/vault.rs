//! Sealed columns in the database: each known to the rotation, each bound to its row.

use atlas::ids;
use atlas::vault::rotate::{COLUMNS, rotate};
use atlas::vault::{Place, Sealed, Vault};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::PgPool;
use uuid::Uuid;

use crate::stage::Stage;

fn place(column: &'static str, row: Uuid) -> Place<'static> {
    Place { table: "identity_grants", column, row }
}

/// One grant with both tokens.
async fn granted(stage: &Stage, vault: &Vault, access: &str) -> Uuid {
    let id = ids::fresh();
    sqlx::query(
        "insert into identity_grants (id, sealed_access, sealed_refresh, access_ends_at, granted_at)
        values ($1, $2, $3, now(), now())",
    )
    .bind(id)
    .bind(vault.seal(place("sealed_access", id), access.as_bytes()))
    .bind(vault.seal(place("sealed_refresh", id), b"a refresh token"))
    .execute(&stage.ctx.db)
    .await
    .unwrap();
    id
}

async fn access_of(stage: &Stage, vault: &Vault, id: Uuid) -> Result<String, Sealed> {
    let sealed: Vec<u8> = sqlx::query_scalar("select sealed_access from identity_grants where id = $1")
        .bind(id)
        .fetch_one(&stage.ctx.db)
        .await
        .unwrap();
    let plain = vault.open(place("sealed_access", id), &sealed)?;
    Ok(String::from_utf8(plain.expose_secret().to_vec()).unwrap())
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn every_sealed_column_is_known_to_the_rotation(pool: PgPool) {
    let found: Vec<(String, String)> = sqlx::query_as(
        r"select table_name::text, column_name::text from information_schema.columns
        where table_schema = 'public' and column_name like 'sealed\_%' and data_type = 'bytea' order by 1, 2",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let mut known: Vec<(String, String)> =
        COLUMNS.iter().map(|column| (column.table.to_owned(), column.column.to_owned())).collect();
    known.sort();
    assert_eq!(found, known);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t64_a_value_moved_to_another_row_does_not_open(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) =
        (granted(&stage, &stage.ctx.vault, "of ana").await, granted(&stage, &stage.ctx.vault, "of ben").await);
    assert_eq!(access_of(&stage, &stage.ctx.vault, ana).await.unwrap(), "of ana");
    sqlx::query("update identity_grants set sealed_access = (select sealed_access from identity_grants where id = $2) where id = $1")
        .bind(ana)
        .bind(ben)
        .execute(&stage.owner)
        .await
        .unwrap();
    assert_eq!(access_of(&stage, &stage.ctx.vault, ana).await.unwrap_err(), Sealed::Foreign);
    sqlx::query("update identity_grants set sealed_access = sealed_refresh").execute(&stage.owner).await.unwrap();
    assert_eq!(access_of(&stage, &stage.ctx.vault, ben).await.unwrap_err(), Sealed::Foreign, "nor to another column");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn rotation_seals_everything_anew_and_leaves_alone_what_does_not_open(pool: PgPool) {
    let mut stage = Stage::new(pool).await;
    let (old, new) = (Vault::fresh_key("old"), Vault::fresh_key("new"));
    let before = Vault::parse(&old).unwrap();
    let mut rows = Vec::new();
    for number in 0..7 {
        rows.push(granted(&stage, &before, &format!("token {number}")).await);
    }
    let lost = granted(&stage, &Vault::parse(&Vault::fresh_key("lost")).unwrap(), "gone").await;
    let both = SecretString::from(format!("{},{}", new.expose_secret(), old.expose_secret()));
    stage.ctx.vault = Vault::parse(&both).unwrap();

    let done = rotate(&stage.ctx).await.unwrap();
    for column in done.iter().filter(|done| done.table == "identity_grants") {
        assert_eq!((column.rows, column.unreadable), (7, 1), "{column:?}");
    }
    let after = Vault::parse(&new).unwrap();
    for (number, row) in rows.iter().enumerate() {
        assert_eq!(access_of(&stage, &after, *row).await.unwrap(), format!("token {number}"));
        assert_eq!(access_of(&stage, &before, *row).await.unwrap_err(), Sealed::UnknownKey);
    }
    assert_eq!(access_of(&stage, &after, lost).await.unwrap_err(), Sealed::UnknownKey);
    assert!(
        rotate(&stage.ctx).await.unwrap().iter().all(|done| done.rows == 0),
        "a second time there is nothing to do"
    );
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn without_keys_nothing_can_be_stored(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let refused = sqlx::query(
        "insert into identity_grants (id, sealed_access, access_ends_at, granted_at) values ($1, $2, now(), now())",
    )
    .bind(ids::fresh())
    .bind(Vault::without_keys().seal(place("sealed_access", ids::fresh()), b"a token"))
    .execute(&stage.ctx.db)
    .await
    .unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().code().unwrap(), "23514");
}
