//! Somebody else's sessions, as those see them who look after Atlas, and how an admin ends them.

use std::net::IpAddr;

use domain::PersonId;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Terms;
use crate::audit::{self, About, Change, Origin, Reason, What};
use crate::people::Role;
use crate::people::roles::{Admin, Support};
use crate::{Context, Error, Result};

/// More are only ended all at once.
pub const SHOWN_MAX: i64 = 50;

/// One session of somebody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub id: Uuid,
    /// What the browser called itself.
    pub agent: Option<String>,
    /// From where it was begun, no closer than the audit says it.
    pub network: Option<String>,
    pub since: OffsetDateTime,
    /// Within a few minutes.
    pub seen_at: OffsetDateTime,
}

/// Which of somebody's sessions are ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    One(Uuid),
    All,
}

/// Where somebody is signed in now, the last used first. `role`: the one that they have, by which their sessions last.
pub async fn list(ctx: &Context, _: &Support, person: PersonId, role: Role) -> Result<Vec<Listed>> {
    let rows = sqlx::query!(
        r#"select public_id, data->>'agent' as agent, data->'began'->'origin'->>'address' as address, created_at, seen_at
        from sessions
        where person_id = $1 and expires_at > $2 and seen_at > $2::timestamptz - make_interval(secs => $3)
        order by seen_at desc, public_id limit $4"#,
        person as PersonId,
        ctx.now(),
        Terms::of(Some(role)).idle_max.as_seconds_f64(),
        SHOWN_MAX,
    )
    .fetch_all(&ctx.db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Listed {
            id: row.public_id,
            agent: row.agent,
            network: row.address.and_then(|address| address.parse::<IpAddr>().ok()).map(audit::network),
            since: row.created_at,
            seen_at: row.seen_at,
        })
        .collect())
}

/// Ends one of somebody's sessions, or all of them, and says how many there were.
///
/// Errors: [`Error::NotFound`] when they have no session of that name (any more).
pub async fn end(
    ctx: &Context,
    admin: &Admin,
    origin: &Origin,
    person: PersonId,
    which: Which,
    why: &Reason,
) -> Result<u64> {
    let one = match which {
        Which::One(id) => Some(id),
        Which::All => None,
    };
    let mut tx = ctx.db.begin().await?;
    let ended = sqlx::query!(
        "delete from sessions where person_id = $1 and ($2::uuid is null or public_id = $2)",
        person as PersonId,
        one,
    )
    .execute(&mut *tx)
    .await?
    .rows_affected();
    if one.is_some() && ended == 0 {
        return Err(Error::NotFound);
    }
    let by = admin.by(origin);
    let change = Change::none().noted("sessions_ended", ended);
    let what = if one.is_some() { What::SessionEnded } else { What::SessionsEnded };
    audit::record(&mut tx, &by.did(what, About::Person(person)).with(change).because(why.as_str())).await?;
    tx.commit().await?;
    Ok(ended)
}
