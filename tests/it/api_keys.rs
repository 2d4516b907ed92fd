//! API keys: shown once, known again by their hash, gone when revoked.

use atlas::api_keys::create::{Created, NewApiKey, create};
use atlas::api_keys::list::list;
use atlas::api_keys::resolve::resolve;
use atlas::api_keys::revoke::revoke;
use atlas::api_keys::secret::KeyHash;
use atlas::api_keys::{ApiCaller, Scope};
use atlas::{Error, ids};
use domain::ApiKeyId;
use secrecy::ExposeSecret as _;
use sqlx::PgPool;
use time::Duration;

use crate::stage::{OPERATOR, Stage};

async fn key(stage: &Stage, name: &str, app: &str) -> Created {
    create(&stage.ctx, &OPERATOR, &NewApiKey::parse(name, app, vec![Scope::Spend]).unwrap()).await.unwrap()
}

fn hash(created: &Created) -> KeyHash {
    KeyHash::of(created.key.expose_secret()).unwrap()
}

/// Who comes with this key, as a request would find out.
async fn caller(stage: &Stage, hash: KeyHash) -> Option<ApiCaller> {
    let mut tx = stage.ctx.db.begin().await.unwrap();
    let found = resolve(&mut tx, stage.ctx.now(), &[hash]).await.unwrap().remove(&hash);
    tx.commit().await.unwrap();
    found
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_key_is_known_again_by_its_hash_alone(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (shop, other) = (key(&stage, "Shop", "shop").await, key(&stage, "Second of the shop", "shop").await);
    let found = caller(&stage, hash(&shop)).await.unwrap();
    assert_eq!((found.id(), found.name(), found.counter()), (shop.id, "Shop", "consumed:shop"));
    assert!(found.may(Scope::Spend).is_ok());
    assert_eq!(caller(&stage, hash(&other)).await.unwrap().id(), other.id);

    let kept: String =
        sqlx::query_scalar("select string_agg(k::text, ' ') from api_keys k").fetch_one(&stage.owner).await.unwrap();
    let secret = &shop.key.expose_secret()["cred_live_".len() + 4..];
    assert!(!kept.contains(secret), "the key itself is nowhere");
    let accounts = stage.count("select count(*) from credit_accounts where code = 'consumed:shop'").await;
    assert_eq!(accounts, 1, "two keys of one application share its account");
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_key_without_the_scope_may_not(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let shop = key(&stage, "Shop", "shop").await;
    sqlx::raw_sql("alter table api_keys drop constraint api_keys_scopes; update api_keys set scopes = '{}'")
        .execute(&stage.owner)
        .await
        .unwrap();
    assert!(matches!(caller(&stage, hash(&shop)).await.unwrap().may(Scope::Spend), Err(Error::Forbidden)));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_revoked_key_is_gone_at_once_and_stays_listed(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (shop, other) = (key(&stage, "Shop", "shop").await, key(&stage, "Other", "other").await);
    revoke(&stage.ctx, &OPERATOR, shop.id).await.unwrap();
    assert!(caller(&stage, hash(&shop)).await.is_none());
    assert!(caller(&stage, hash(&other)).await.is_some());
    let at = stage.ctx.now();
    stage.advance(Duration::hours(1));
    revoke(&stage.ctx, &OPERATOR, shop.id).await.unwrap();

    let keys = list(&stage.ctx.db).await.unwrap();
    let revoked: Vec<_> = keys.iter().map(|key| (key.name.as_str(), key.revoked_at)).collect();
    assert_eq!(revoked, [("Other", None), ("Shop", Some(at))], "the first time counts");
    let unknown = ApiKeyId::from_uuid(ids::fresh());
    assert!(matches!(revoke(&stage.ctx, &OPERATOR, unknown).await, Err(Error::NotFound)));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn its_last_use_is_written_once_a_minute(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let shop = key(&stage, "Shop", "shop").await;
    let last_used = async || list(&stage.ctx.db).await.unwrap()[0].last_used_at;
    assert_eq!(last_used().await, None);
    caller(&stage, hash(&shop)).await.unwrap();
    let first = stage.ctx.now();
    assert_eq!(last_used().await, Some(first));
    for (seconds, expected) in [(59, first), (1, first + Duration::minutes(1))] {
        stage.advance(Duration::seconds(seconds));
        caller(&stage, hash(&shop)).await.unwrap();
        assert_eq!(last_used().await, Some(expected), "{seconds} seconds later");
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn two_that_note_the_use_at_once_do_not_wait_for_each_other(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let shop = key(&stage, "Shop", "shop").await;
    let mut first = stage.ctx.db.begin().await.unwrap();
    resolve(&mut first, stage.ctx.now(), &[hash(&shop)]).await.unwrap();
    // The first is still open. A statement that waited for it would fail here.
    let mut second = stage.ctx.db.begin().await.unwrap();
    sqlx::raw_sql("set local lock_timeout = '1ms'").execute(&mut *second).await.unwrap();
    assert_eq!(resolve(&mut second, stage.ctx.now(), &[hash(&shop)]).await.unwrap().len(), 1);
    second.commit().await.unwrap();
    first.commit().await.unwrap();
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_application_may_revoke_a_key_but_neither_delete_nor_rewrite_it(pool: PgPool) {
    let stage = Stage::new(pool).await;
    key(&stage, "Shop", "shop").await;
    for sql in [
        "delete from api_keys",
        "update api_keys set hash = hash",
        "update api_keys set scopes = scopes",
        "update api_keys set counter = counter",
    ] {
        let error = sqlx::query(sql).execute(&stage.ctx.db).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().unwrap(), "42501", "{sql}");
    }
}

#[test]
fn a_new_key_needs_a_name_an_application_and_a_scope() {
    let wrong = NewApiKey::parse(" ", "No spaces", Vec::new()).unwrap_err();
    assert!(["name", "app", "scope"].iter().all(|field| wrong.of(field).is_some()), "{wrong:?}");
    for app in ["", "-a", "1a", "A", "a_b", &"a".repeat(41)] {
        assert!(NewApiKey::parse("Shop", app, vec![Scope::Spend]).unwrap_err().of("app").is_some(), "{app}");
    }
    assert!(NewApiKey::parse("a\nb", "app", vec![Scope::Spend]).is_err());
}
