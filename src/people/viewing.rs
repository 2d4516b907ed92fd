//! Looking at somebody's pages as they see them, to understand what they tell. Everything a person sees is shown then, so it takes
//! an admin who confirmed a moment ago, a reason, and both its beginning and its end are written down. Nothing can be changed
//! meanwhile: whoever views holds an [`Owner`], and nobody’s [`SignedIn`].
//!
//! It ends when its time is over, when the admin is one no more, or when there is no buyer any more to be looked at. The session
//! keeps a note of it until its person says that they know ([`stop`], or signing out): a form that was drawn before must not act for
//! an account that is not the one it was drawn for. Where the session ends before, the database writes its end down.

use domain::{PersonId, Role};
use time::{Duration, OffsetDateTime};

use super::fresh::Fresh;
use super::roles::Admin;
use super::{Owner, SignedIn, Visitor, find_with_viewing};
use crate::audit::{self, About, By, Change, Origin, Reason, What, Who};
use crate::{Context, Error, Refusal, Result};

/// As long as the session of an admin may rest: who goes away is gone from here as well.
pub const VIEWING_LASTS: Duration = Duration::minutes(15);

/// Proof that an admin looks at somebody's pages at this moment.
#[derive(Debug, Clone)]
pub struct Viewing {
    owner: Owner,
    until: OffsetDateTime,
}

/// What a session says of it, be it over or not.
pub(super) struct Noted {
    pub(super) whose: PersonId,
    pub(super) until: OffsetDateTime,
}

impl Viewing {
    /// Whose pages.
    pub const fn owner(&self) -> &Owner {
        &self.owner
    }

    pub const fn until(&self) -> OffsetDateTime {
        self.until
    }
}

/// Shows the pages of `whose` in the admin's session, whose hash is `session`, for [`VIEWING_LASTS`] at most.
///
/// Errors: [`Refusal::OwnPages`]; [`Refusal::StaffPages`]: through an admin's pages one would see what their role sees;
/// [`Error::NotFound`], also for somebody who has left, and where the session ended, views already, or its person is no admin any
/// more.
pub async fn start(
    ctx: &Context,
    admin: &Admin,
    _: &Fresh,
    session: [u8; 32],
    whose: PersonId,
    origin: &Origin,
    why: &Reason,
) -> Result<()> {
    let by = admin.person().id();
    if by == whose {
        return Err(Refusal::OwnPages.into());
    }
    let mut tx = ctx.db.begin().await?;
    // Held until the end, so that nobody leaves or becomes staff between this look and the note.
    let role = sqlx::query_scalar!(
        r#"select role as "role: Role" from user_profiles where id = $1 and deleted_at is null for share"#,
        whose as PersonId,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Error::NotFound)?;
    if role != Role::Buyer {
        return Err(Refusal::StaffPages.into());
    }
    let noted = sqlx::query!(
        "update sessions set viewing_id = $3, viewing_until = $4
        where id_hash = $1 and person_id = $2 and viewing_id is null
            and exists (select from user_profiles where id = $2 and role = 'admin' and deleted_at is null)",
        &session[..],
        by as PersonId,
        whose as PersonId,
        ctx.now() + VIEWING_LASTS,
    )
    .execute(&mut *tx)
    .await?;
    if noted.rows_affected() == 0 {
        return Err(Error::NotFound);
    }
    let change = Change::none().noted("minutes_at_most", VIEWING_LASTS.whole_minutes());
    let by = admin.by(origin);
    let deed = by.did(What::ViewingStarted, About::Person(whose)).with(change).because(why.as_str());
    audit::record(&mut tx, &deed).await?;
    Ok(tx.commit().await?)
}

/// Ends it, over or not: the session shows its own person's pages again. Where it views nobody's, nothing happens.
pub async fn stop(ctx: &Context, session: [u8; 32], origin: &Origin) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    let stopped = sqlx::query!(
        r#"with viewing as (
            select id_hash, person_id, viewing_id from sessions where id_hash = $1 and viewing_id is not null for update
        )
        update sessions session set viewing_id = null, viewing_until = null
        from viewing where session.id_hash = viewing.id_hash
        returning viewing.person_id as "by!: PersonId", viewing.viewing_id as "whose!: PersonId""#,
        &session[..],
    )
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(stopped) = stopped {
        let by = By { who: Who::Person(stopped.by), origin };
        audit::record(&mut tx, &by.did(What::ViewingEnded, About::Person(stopped.whose))).await?;
    }
    Ok(tx.commit().await?)
}

/// Who it is in a session that says whose pages it shows: everything is asked anew. `by` is the session's person; none: they may
/// do nothing yet.
pub(super) async fn resume(ctx: &Context, by: Option<SignedIn>, noted: Noted) -> Result<Visitor> {
    let may = by.is_some_and(|by| Admin::prove(by).is_ok()) && ctx.now() < noted.until;
    let owner = if may { find_with_viewing(&ctx.db, noted.whose, None).await? } else { None };
    Ok(match owner {
        Some((owner, _)) if owner.role() == Role::Buyer => Visitor::Viewing(Viewing { owner, until: noted.until }),
        _ => Visitor::DoneViewing(noted.whose),
    })
}
