//! Sessions, as far as they are anybody's: how long they may last, a person's own list of them, ending them, and forgetting
//! those whose time is over. The server keeps and reads them.

pub mod of_others;

use domain::PersonId;
use sha2::{Digest as _, Sha256};
use sqlx::PgExecutor;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{Role, SignedIn};
use crate::audit::{self, About, By, Change, Origin, What, Who};
use crate::sweep::{PART, in_parts};
use crate::{Context, Error, Result};

/// How long a session lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Without being used.
    pub idle_max: Duration,
    /// However much it is used.
    pub age_max: Duration,
    /// It is noted at most this often that it was used, so that reading a page rarely writes.
    pub noted_every: Duration,
}

impl Terms {
    /// Whoever can do harm to others has to come back sooner.
    pub const fn of(role: Option<Role>) -> Self {
        match role {
            None | Some(Role::Buyer) => {
                Self { idle_max: Duration::hours(24), age_max: Duration::days(30), noted_every: Duration::minutes(15) }
            }
            Some(Role::Support | Role::Finance | Role::Admin) => {
                Self { idle_max: Duration::minutes(15), age_max: Duration::hours(8), noted_every: Duration::minutes(1) }
            }
        }
    }

    /// When a session ends that is not used again.
    pub fn end(&self, created_at: OffsetDateTime, seen_at: OffsetDateTime) -> OffsetDateTime {
        (seen_at + self.idle_max).min(created_at + self.age_max)
    }
}

/// What is stored of a session's id: who reads the table can't use what stands there.
pub fn id_hash(id: i128) -> [u8; 32] {
    Sha256::digest(id.to_le_bytes()).into()
}

/// One session of a person's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub id: Uuid,
    /// What the browser called itself.
    pub agent: Option<String>,
    pub created_at: OffsetDateTime,
    /// Within a few minutes.
    pub seen_at: OffsetDateTime,
    pub is_this_one: bool,
}

/// The person's sessions, the one asked from first, then the last used ones. `this` is that one's [`id_hash`].
pub async fn list(ctx: &Context, person: &SignedIn, this: [u8; 32]) -> Result<Vec<Listed>> {
    let (id, terms) = (person.id(), Terms::of(Some(person.role())));
    Ok(sqlx::query_as!(
        Listed,
        r#"select public_id as id, data->>'agent' as agent, created_at, seen_at, id_hash = $2 as "is_this_one!"
        from sessions
        where person_id = $1 and expires_at > $3 and seen_at > $3::timestamptz - make_interval(secs => $4)
        order by id_hash = $2 desc, seen_at desc, public_id limit 100"#,
        id as PersonId,
        &this[..],
        ctx.now(),
        terms.idle_max.as_seconds_f64(),
    )
    .fetch_all(&ctx.db)
    .await?)
}

/// Ends one of the person's sessions. Errors: [`Error::NotFound`] when they have none of that name (any more).
pub async fn end(ctx: &Context, person: &SignedIn, id: Uuid, origin: &Origin) -> Result<()> {
    let owner = person.id();
    let mut tx = ctx.db.begin().await?;
    let ended = sqlx::query!("delete from sessions where person_id = $1 and public_id = $2", owner as PersonId, id)
        .execute(&mut *tx)
        .await?;
    if ended.rows_affected() == 0 {
        return Err(Error::NotFound);
    }
    let by = By { who: Who::Person(owner), origin };
    audit::record(&mut tx, &by.did(What::SessionEnded, About::Person(owner))).await?;
    Ok(tx.commit().await?)
}

/// Ends the session that the request came with: signing out, and with it looking at somebody's pages. When it has ended before,
/// nothing happens.
pub async fn end_this(ctx: &Context, this: [u8; 32], origin: &Origin) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    let ended = sqlx::query_scalar!(
        r#"delete from sessions where id_hash = $1 and person_id is not null returning person_id as "person!: PersonId""#,
        &this[..],
    )
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(person) = ended {
        let by = By { who: Who::Person(person), origin };
        audit::record(&mut tx, &by.did(What::SignedOut, About::Person(person))).await?;
    }
    Ok(tx.commit().await?)
}

/// Ends all of the person's sessions but the one asked from; how many there were.
pub async fn end_others(ctx: &Context, person: &SignedIn, this: [u8; 32], origin: &Origin) -> Result<u64> {
    let owner = person.id();
    let mut tx = ctx.db.begin().await?;
    let ended = end_all_but(&mut *tx, owner, this).await?;
    let by = By { who: Who::Person(owner), origin };
    let change = Change::none().noted("sessions_ended", ended);
    audit::record(&mut tx, &by.did(What::SessionsEnded, About::Person(owner)).with(change)).await?;
    tx.commit().await?;
    Ok(ended)
}

/// The same in a larger deed; the caller notes why.
pub(super) async fn end_all_but(db: impl PgExecutor<'_>, person: PersonId, this: [u8; 32]) -> Result<u64> {
    let ended =
        sqlx::query!("delete from sessions where person_id = $1 and id_hash <> $2", person as PersonId, &this[..])
            .execute(db)
            .await?;
    Ok(ended.rows_affected())
}

/// Whose sessions an operator ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    All,
    Person(PersonId),
    Role(Role),
}

/// Ends sessions, and says how many there were.
pub async fn end_of(ctx: &Context, by: &By<'_>, whose: Ending) -> Result<u64> {
    let (person, role) = match whose {
        Ending::All => (None, None),
        Ending::Person(person) => (Some(person), None),
        Ending::Role(role) => (None, Some(role)),
    };
    let mut tx = ctx.db.begin().await?;
    let ended = sqlx::query!(
        "delete from sessions
        where ($1::uuid is null or person_id = $1)
            and ($2::text is null or person_id in (select id from user_profiles where role = $2))",
        person as Option<PersonId>,
        role as Option<Role>,
    )
    .execute(&mut *tx)
    .await?
    .rows_affected();
    let about = match (person, role) {
        (Some(person), _) => About::Person(person),
        (None, role) => About::Thing { kind: "sessions", id: role.map_or("all", Role::as_str) },
    };
    audit::record(&mut tx, &by.did(What::SessionsEnded, about).with(Change::none().noted("sessions_ended", ended)))
        .await?;
    tx.commit().await?;
    Ok(ended)
}

/// Ends all sessions of somebody whose rights change, and says how many there were. The caller notes why.
pub(super) async fn end_all(db: impl PgExecutor<'_>, person: PersonId) -> Result<u64> {
    let ended = sqlx::query!("delete from sessions where person_id = $1", person as PersonId).execute(db).await?;
    Ok(ended.rows_affected())
}

/// Deletes every session that has expired.
pub async fn sweep(ctx: &Context) -> Result<()> {
    in_parts(|| async {
        let deleted = sqlx::query!(
            "delete from sessions where id_hash in (
                select id_hash from sessions where expires_at <= $1 limit $2 for update skip locked)",
            ctx.now(),
            PART
        );
        deleted.execute(&ctx.db).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_by_idleness_or_by_age_whichever_comes_first() {
        let began = OffsetDateTime::UNIX_EPOCH;
        let terms = Terms::of(Some(Role::Buyer));
        assert_eq!(terms.end(began, began + Duration::days(2)), began + Duration::days(3));
        assert_eq!(terms.end(began, began + Duration::hours(719)), began + Duration::days(30));
        for role in [Role::Support, Role::Finance, Role::Admin] {
            let terms = Terms::of(Some(role));
            assert_eq!(terms.end(began, began), began + Duration::minutes(15));
            assert_eq!(terms.end(began, began + Duration::minutes(479)), began + Duration::hours(8));
        }
    }
}
