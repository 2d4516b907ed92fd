//! Sessions in our own table: the cookie holds a random id, the table its hash. An ended session stays ended, even if
//! a slow request that began before still holds a copy.

mod cookie;

use std::fmt;

use app::request::{BEGAN_KEY, Began, Beginning, GRANT_KEY};
use async_trait::async_trait;
use atlas::audit::{self, About, By, Change, Origin, What, Who};
use atlas::clock::Clock;
use atlas::people::sessions::{Terms, id_hash};
use axum::Router;
use domain::{PersonId, Role};
use serde::Deserialize as _;
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use tower_sessions::cookie::SameSite;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use tower_sessions::{SessionManagerLayer, SessionStore};
use uuid::Uuid;

/// Under this key of its data a session says whose it is: a person's id.
pub const PERSON: &str = "person";

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
        let now = self.clock.now();
        for _ in 0..CREATE_TRIES {
            let mut tx = self.db.begin().await.map_err(backend)?;
            let done = sqlx::query!(
                "insert into sessions (id_hash, person_id, data, created_at, seen_at, expires_at, grant_id)
                values ($1, $2, $3, $4, $4, $5, $6) on conflict (id_hash) do nothing",
                &id_hash(record.id.0)[..],
                person(record),
                data,
                now,
                Terms::of(None).end(now, now),
                grant(record),
            )
            .execute(&mut *tx)
            .await
            .map_err(backend)?;
            if done.rows_affected() == 1 {
                note_beginning(&mut tx, record).await?;
                return tx.commit().await.map_err(backend);
            }
            record.id = Id::default();
        }
        Err(Error::Backend("no free session id".to_owned()))
    }

    /// That it is used was noted when it was loaded.
    async fn save(&self, record: &Record) -> Result<()> {
        let done = sqlx::query!(
            "update sessions set data = $2, person_id = $3, grant_id = $5 where id_hash = $1 and expires_at > $4",
            &id_hash(record.id.0)[..],
            written(record)?,
            person(record),
            self.clock.now(),
            grant(record),
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
        let Some(kept) = self.kept(id).await? else { return Ok(None) };
        let now = self.clock.now();
        let mut end = kept.terms.end(kept.created_at, kept.seen_at);
        if now - kept.seen_at >= kept.terms.noted_every {
            end = kept.terms.end(kept.created_at, now);
            self.note_use(id, now, end).await?;
        }
        let data = serde_json::from_value(kept.data).map_err(|error| Error::Decode(error.to_string()))?;
        Ok(Some(Record { id: *id, data, expiry_date: end }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        sqlx::query!("delete from sessions where id_hash = $1", &id_hash(id.0)[..])
            .execute(&self.db)
            .await
            .map_err(backend)?;
        Ok(())
    }
}

/// A session that has not ended.
struct Kept {
    data: Value,
    created_at: OffsetDateTime,
    seen_at: OffsetDateTime,
    terms: Terms,
}

impl PgSessions {
    /// By the role that its person has now: who becomes an admin has an admin's session at once.
    async fn kept(&self, id: &Id) -> Result<Option<Kept>> {
        let row = sqlx::query!(
            r#"select session.data, session.created_at, session.seen_at, person.role as "role?: Role"
            from sessions session left join user_profiles person on person.id = session.person_id
            where session.id_hash = $1 and session.expires_at > $2"#,
            &id_hash(id.0)[..],
            self.clock.now()
        )
        .fetch_optional(&self.db)
        .await
        .map_err(backend)?;
        let Some(row) = row else { return Ok(None) };
        let kept =
            Kept { data: row.data, created_at: row.created_at, seen_at: row.seen_at, terms: Terms::of(row.role) };
        Ok((kept.terms.end(kept.created_at, kept.seen_at) > self.clock.now()).then_some(kept))
    }

    async fn note_use(&self, id: &Id, now: OffsetDateTime, end: OffsetDateTime) -> Result<()> {
        sqlx::query!(
            "update sessions set seen_at = $2, expires_at = $3 where id_hash = $1",
            &id_hash(id.0)[..],
            now,
            end
        )
        .execute(&self.db)
        .await
        .map_err(backend)?;
        Ok(())
    }
}

/// A session that begins as somebody's is a sign-in, by whatever way, or goes on after one more proof: that is written down with
/// the session, or there is none.
async fn note_beginning(tx: &mut PgConnection, record: &Record) -> Result<()> {
    let Some(person) = person(record).map(PersonId::from_uuid) else { return Ok(()) };
    let began = record.data.get(BEGAN_KEY).and_then(|began| Began::deserialize(began).ok());
    let what = match began.as_ref().map(|began| began.what) {
        Some(Beginning::Confirmed) => What::Confirmed,
        Some(Beginning::SignedIn) | None => What::SignedIn,
    };
    let (origin, through) = began.map_or((Origin::NONE, String::new()), |began| (began.origin, began.through));
    let origin = Origin { session: Some(id_hash(record.id.0)), ..origin };
    let by = By { who: Who::Person(person), origin: &origin };
    let deed = by.did(what, About::Person(person)).with(Change::none().noted("through", through));
    audit::record(tx, &deed).await.map_err(|error| Error::Backend(format!("the audit: {error:?}")))
}

fn person(record: &Record) -> Option<Uuid> {
    record.data.get(PERSON)?.as_str()?.parse().ok()
}

/// What it was begun with elsewhere: it lives as long as that.
fn grant(record: &Record) -> Option<Uuid> {
    record.data.get(GRANT_KEY)?.as_str()?.parse().ok()
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
