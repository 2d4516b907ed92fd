//! What those who look after Atlas write down about a person or an order, for each other. A note is never changed.

use domain::{FieldErrors, OrderId, PersonId};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

use crate::audit::{self, Origin, What};
use crate::people::roles::Support;
use crate::{Context, Error, Result};

pub const TEXT_LENGTH_MAX: usize = 2_000;
/// The newest ones; nobody reads more at once.
const SHOWN_MAX: i64 = 100;

/// One to 2,000 characters, line breaks allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    pub fn parse(field: &str, text: &str) -> Result<Self, FieldErrors> {
        let text = text.replace("\r\n", "\n").trim().to_owned();
        if text.is_empty() {
            return Err(FieldErrors::one(field, "Write the note first."));
        }
        if text.chars().count() > TEXT_LENGTH_MAX {
            return Err(FieldErrors::one(field, "Shorten the note to 2,000 characters."));
        }
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            return Err(FieldErrors::one(field, "Leave control characters out of the note."));
        }
        Ok(Self(text))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    Person(PersonId),
    Order(OrderId),
}

impl About {
    /// As two columns, one of them empty.
    const fn columns(self) -> (Option<PersonId>, Option<OrderId>) {
        match self {
            Self::Person(person) => (Some(person), None),
            Self::Order(order) => (None, Some(order)),
        }
    }

    const fn audited(self) -> audit::About<'static> {
        match self {
            Self::Person(person) => audit::About::Person(person),
            Self::Order(order) => audit::About::Order(order),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Note {
    /// Who wrote it, by their address.
    pub author: String,
    /// None: forgotten with the person.
    pub text: Option<String>,
    pub at: OffsetDateTime,
}

/// Writes it down; that it was written, not what, is in the audit.
///
/// Errors: [`Error::NotFound`], also about somebody who has left.
pub async fn add(ctx: &Context, support: &Support, origin: &Origin, about: About, text: &Text) -> Result<()> {
    let (person, order) = about.columns();
    let mut tx = ctx.db.begin().await?;
    let written = sqlx::query!(
        "insert into notes (person_id, order_id, author_id, text, created_at)
        select $1, $2, $3, $4, $5
        where exists (
            select from user_profiles whose
            where whose.id = coalesce($1, (select buyer_id from credit_orders where id = $2)) and whose.deleted_at is null
            for key share)",
        person as Option<PersonId>,
        order as Option<OrderId>,
        support.person().id() as PersonId,
        text.0,
        ctx.now(),
    )
    .execute(&mut *tx)
    .await?;
    if written.rows_affected() == 0 {
        return Err(Error::NotFound);
    }
    audit::record(&mut tx, &support.by(origin).did(What::NoteAdded, about.audited())).await?;
    Ok(tx.commit().await?)
}

/// The newest first.
pub async fn list(db: impl PgExecutor<'_>, _: &Support, about: About) -> Result<Vec<Note>> {
    let (person, order) = about.columns();
    Ok(sqlx::query_as!(
        Note,
        r#"select author.known_as as "author!", nullif(note.text, '') as text, note.created_at as at
        from notes note join user_profiles author on author.id = note.author_id
        where note.person_id = $1 or note.order_id = $2 order by note.id desc limit $3"#,
        person as Option<PersonId>,
        order as Option<OrderId>,
        SHOWN_MAX,
    )
    .fetch_all(db)
    .await?)
}

/// What was written about somebody who leaves, and about their orders.
pub(crate) async fn forget(tx: &mut PgConnection, person: PersonId) -> Result<()> {
    sqlx::query!("select forget_notes($1)", person as PersonId).execute(tx).await?;
    Ok(())
}
