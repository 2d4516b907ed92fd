//! The outbox as the operator sees it: what there is, what a mail says, and having one sent (again).

use sqlx::PgExecutor;
use time::OffsetDateTime;

use super::deliver::{Made, Taken, make};
use super::letter::Letter;
use super::{Kind, admin};
use crate::{Context, Error, Result};

/// One mail, without its words.
#[derive(Debug, Clone)]
pub struct Listed {
    pub id: i64,
    pub kind: String,
    /// The id of what it is about.
    pub subject: String,
    /// queued, sent, kept, moot or parked.
    pub state: String,
    pub tries: i16,
    pub error: Option<String>,
    pub created_at: OffsetDateTime,
    pub sent_at: Option<OffsetDateTime>,
}

/// A mail as it would be sent now.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Empty: to the admins.
    pub to: Vec<String>,
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// The newest mails first; `state` narrows to one of queued, sent, kept, moot, parked.
pub async fn newest(db: impl PgExecutor<'_>, state: Option<&str>, limit: i64) -> Result<Vec<Listed>> {
    Ok(sqlx::query_as!(
        Listed,
        "select id, kind, subject, state, tries, error, created_at, sent_at from mails
        where $1::text is null or state = $1 order by id desc limit $2",
        state,
        limit,
    )
    .fetch_all(db)
    .await?)
}

/// What a mail says, made from what is true now. None: it is moot, or it was about an account and is sent. A link in it works,
/// and no other that was written into it before.
///
/// Errors: [`Error::NotFound`].
pub async fn show(ctx: &Context, id: i64) -> Result<Option<Shown>> {
    let row = sqlx::query!(
        r#"select kind, subject, order_id as "order: domain::OrderId", person_id as "person: domain::PersonId", address,
            tries
        from mails where id = $1"#,
        id
    )
    .fetch_optional(&ctx.db)
    .await?
    .ok_or(Error::NotFound)?;
    let kind: Kind = row.kind.parse()?;
    let shown = |to: Vec<String>, letter: Letter| Shown {
        to,
        subject: letter.subject().to_owned(),
        text: letter.text(),
        html: letter.html(),
    };
    if Kind::DIGESTS.contains(&kind) {
        let letter = admin::digest(ctx, kind, &[row.subject]).await?;
        return Ok(letter.map(|letter| shown(Vec::new(), letter)));
    }
    let mail = Taken {
        id,
        kind,
        subject: row.subject,
        order: row.order,
        person: row.person,
        address: row.address,
        tries: row.tries,
    };
    Ok(match make(ctx, &mail).await? {
        Made::Letter(to, letter) => Some(shown(to.iter().map(ToString::to_string).collect(), letter)),
        Made::Moot => None,
    })
}

/// Which mails to queue anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// This one, be it parked or kept.
    One(i64),
    /// All that are parked.
    Parked,
}

/// Queues mails anew, as if they were just announced; returns how many. The next run of the jobs sends them.
pub async fn retry(db: impl PgExecutor<'_>, which: Again) -> Result<u64> {
    let id = match which {
        Again::One(id) => Some(id),
        Again::Parked => None,
    };
    let done = sqlx::query!(
        "update mails set state = 'queued', tries = 0, due_at = 'epoch', error = null
        where (id = $1 and state in ('kept', 'parked')) or ($1 is null and state = 'parked')",
        id,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
