//! Proof that the person behind a session has just shown again that it is them. Whatever does lasting harm in the wrong
//! hands takes a [`Fresh`] in its signature: passwords, addresses, second factors, links to other accounts, keys, roles,
//! refunds, grants.

use std::time::Duration;

use domain::PersonId;
use sqlx::PgExecutor;

use super::SignedIn;
use crate::{Error, Result};

/// For so long after a confirmation nobody is asked again.
pub const FRESH_FOR: Duration = Duration::from_mins(5);

/// Whoever holds it speaks for this person, who confirmed within the last [`FRESH_FOR`].
#[derive(Debug, Clone)]
pub struct Fresh(SignedIn);

impl Fresh {
    pub const fn person(&self) -> &SignedIn {
        &self.0
    }
}

/// Looks whether the person confirmed a moment ago in this session; `session` is its [`super::sessions::id_hash`]. Which
/// moment it is, and was, the database says: the clocks of several servers differ.
pub async fn check(db: impl PgExecutor<'_>, person: &SignedIn, session: [u8; 32]) -> Result<Option<Fresh>> {
    let id = person.id();
    let fresh = sqlx::query_scalar!(
        r#"select exists (
            select from sessions
            where id_hash = $1 and person_id = $2 and confirmed_at > now() - make_interval(secs => $3)
        ) as "fresh!""#,
        &session[..],
        id as PersonId,
        FRESH_FOR.as_secs_f64(),
    )
    .fetch_one(db)
    .await?;
    Ok(fresh.then(|| Fresh(person.clone())))
}

/// Notes that the person has just confirmed in this session, whoever calls having seen to it.
///
/// Errors: [`Error::NotFound`] when the session ended meanwhile, or is not theirs.
pub async fn note(db: impl PgExecutor<'_>, person: &SignedIn, session: [u8; 32]) -> Result<()> {
    let id = person.id();
    let noted = sqlx::query!(
        "update sessions set confirmed_at = now() where id_hash = $1 and person_id = $2",
        &session[..],
        id as PersonId,
    )
    .execute(db)
    .await?;
    if noted.rows_affected() == 0 { Err(Error::NotFound) } else { Ok(()) }
}
