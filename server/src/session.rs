//! Sessions in our own table: the cookie holds a random id, the table its hash. An ended session stays ended, even if
//! a slow request that began before still holds a copy.

mod cookie;

use std::fmt;

use async_trait::async_trait;
use atlas::clock::Clock;
use axum::Router;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use sqlx::PgPool;
use time::{Duration, OffsetDateTime};
use tower_sessions::cookie::SameSite;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use tower_sessions::{SessionManagerLayer, SessionStore};
use uuid::Uuid;

/// Under this key of its data a session says whose it is: a person's id.
pub const PERSON: &str = "person";

const IDLE_MAX: Duration = Duration::hours(24);
const AGE_MAX_DAYS: i32 = 30;
/// A session in use is prolonged at most this often, so that reading a page rarely writes.
const PROLONG_AFTER: Duration = Duration::hours(1);
const CREATE_TRIES: u32 = 3;

/// Gives `pages` the extension `Session`. Nothing is read before a handler asks, nothing kept before one stores.
pub fn attach(pages: Router, ctx: &atlas::Context) -> Router {
    let store = PgSessions { db: ctx.db.clone(), clock: ctx.clock.clone() };
    let secure = ctx.public_url.starts_with("https://");
    let sessions = SessionManagerLayer::new(store)
        .with_name(cookie::name(secure))
        .with_secure(secure)
        .with_http_only(true)
        // Strict would arrive empty on the way back from the checkout.
        .with_same_site(SameSite::Lax)
        .with_path("/");
    pages.layer(sessions).layer(axum::middleware::map_response(cookie::keep_host_prefix))
}

#[derive(Clone)]
struct PgSessions {
    db: PgPool,
    clock: Clock,
}

impl fmt::Debug for PgSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PgSessions")
    }
}

#[async_trait]
impl SessionStore for PgSessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let data = written(record)?;
        for _ in 0..CREATE_TRIES {
            let done = sqlx::query!(
                "insert into sessions (id_hash, person_id, data, created_at, expires_at) values ($1, $2, $3, $4, $5)
                 on conflict (id_hash) do nothing",
                &hash(&record.id)[..],
                person(record),
                data,
                self.clock.now(),
                self.clock.now() + IDLE_MAX
            )
            .execute(&self.db)
            .await
            .map_err(backend)?;
            if done.rows_affected() == 1 {
                return Ok(());
            }
            record.id = Id::default();
        }
        Err(Error::Backend("no free session id".to_owned()))
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let done = sqlx::query!(
            "update sessions set data = $2, person_id = $3, expires_at = least($4, created_at + make_interval(days => $5))
             where id_hash = $1 and expires_at > $6",
            &hash(&record.id)[..],
            written(record)?,
            person(record),
            self.clock.now() + IDLE_MAX,
            AGE_MAX_DAYS,
            self.clock.now()
        )
        .execute(&self.db)
        .await
        .map_err(backend)?;
        if done.rows_affected() == 0 {
            tracing::info!("a request outlived its session; what it stored is dropped");
        }
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let now = self.clock.now();
        let row = sqlx::query!(
            r#"select data, expires_at,
                expires_at < least($3, created_at + make_interval(days => $4)) - make_interval(secs => $5) as "is_due!"
            from sessions where id_hash = $1 and expires_at > $2"#,
            &hash(id)[..],
            now,
            now + IDLE_MAX,
            AGE_MAX_DAYS,
            PROLONG_AFTER.as_seconds_f64()
        )
        .fetch_optional(&self.db)
        .await
        .map_err(backend)?;
        let Some(row) = row else { return Ok(None) };
        if row.is_due {
            self.prolong(id, now).await?;
        }
        let data = serde_json::from_value(row.data).map_err(|error| Error::Decode(error.to_string()))?;
        Ok(Some(Record { id: *id, data, expiry_date: row.expires_at }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        sqlx::query!("delete from sessions where id_hash = $1", &hash(id)[..])
            .execute(&self.db)
            .await
            .map_err(backend)?;
        Ok(())
    }
}

impl PgSessions {
    async fn prolong(&self, id: &Id, now: OffsetDateTime) -> Result<()> {
        sqlx::query!(
            "update sessions set expires_at = least($3, created_at + make_interval(days => $4))
             where id_hash = $1 and expires_at > $2",
            &hash(id)[..],
            now,
            now + IDLE_MAX,
            AGE_MAX_DAYS
        )
        .execute(&self.db)
        .await
        .map_err(backend)?;
        Ok(())
    }
}

fn hash(id: &Id) -> [u8; 32] {
    Sha256::digest(id.0.to_le_bytes()).into()
}

fn person(record: &Record) -> Option<Uuid> {
    record.data.get(PERSON)?.as_str()?.parse().ok()
}

/// What was typed may come back in a flash, and Postgres has no character zero.
fn written(record: &Record) -> Result<Value> {
    let mut data = serde_json::to_value(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
    replace_zero(&mut data);
    Ok(data)
}

fn replace_zero(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\0') => *text = text.replace('\0', "\u{fffd}"),
        Value::Array(items) => items.iter_mut().for_each(replace_zero),
        Value::Object(fields) => {
            if fields.keys().any(|name| name.contains('\0')) {
                *fields = std::mem::take(fields)
                    .into_iter()
                    .map(|(name, value)| (name.replace('\0', "\u{fffd}"), value))
                    .collect();
            }
            fields.values_mut().for_each(replace_zero);
        }
        _ => {}
    }
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn backend(error: sqlx::Error) -> Error {
    Error::Backend(error.to_string())
}

#[cfg(test)]
mod tests;
