//! Half signed in: the password was right, the code of the second factor is still owed. A session in which that is so is
//! nobody's, and can do nothing but give the code.

use domain::PersonId;
use time::Duration;

use super::second_factor::{check, tell};
use super::{SignedIn, load};
use crate::audit::{self, About, By, Origin, What, Who};
use crate::notify::AccountNews;
use crate::{Context, Error, Refusal, Result};

/// After so long one begins with the password again.
pub const VALID_FOR: Duration = Duration::minutes(10);
/// Wrong codes after which one begins with the password again.
pub const TRIES_MAX: i16 = 5;

/// What a right password opens.
#[derive(Debug)]
pub enum Entrance {
    Whole(SignedIn),
    Half(Half),
}

impl Entrance {
    /// For somebody whose password was right.
    pub(super) fn of(person: SignedIn) -> Self {
        if person.has_second_factor() { Self::Half(Half(person.id())) } else { Self::Whole(person) }
    }
}

/// Proof that somebody with a second factor gave the right password.
#[derive(Debug)]
pub struct Half(PersonId);

/// Notes it in a session that is new; `session` is its [`super::sessions::id_hash`].
pub async fn begin(ctx: &Context, half: Half, session: [u8; 32]) -> Result<()> {
    sqlx::query!(
        "insert into sign_in_attempts (session_hash, person_id, began_at) values ($1, $2, $3)",
        &session[..],
        half.0 as PersonId,
        ctx.now(),
    )
    .execute(&ctx.db)
    .await?;
    Ok(())
}

/// Whether a code is owed in this session.
pub async fn is_under_way(ctx: &Context, session: [u8; 32]) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from sign_in_attempts where session_hash = $1 and began_at > $2 and tries < $3) as "owed!""#,
        &session[..],
        ctx.now() - VALID_FOR,
        TRIES_MAX,
    )
    .fetch_one(&ctx.db)
    .await?)
}

/// Signs in with the code.
///
/// Errors: [`Refusal::WrongCode`]; [`Refusal::SignInIsOver`] after too many of them or too long; [`Refusal::TooManyTries`].
pub async fn finish(ctx: &Context, session: [u8; 32], code: &str, origin: &Origin) -> Result<SignedIn> {
    // Counted before it is looked at, so that many at once are no more than many.
    let attempt = sqlx::query!(
        r#"update sign_in_attempts set tries = tries + 1
        where session_hash = $1 and began_at > $2 and tries < $3 returning person_id as "person: PersonId", tries"#,
        &session[..],
        ctx.now() - VALID_FOR,
        TRIES_MAX,
    )
    .fetch_optional(&ctx.db)
    .await?
    .ok_or(Refusal::SignInIsOver)?;
    match check::take(ctx, attempt.person, code, origin).await {
        Ok(()) => load(&ctx.db, attempt.person).await?.ok_or_else(|| Error::broken("a person without a wallet")),
        Err(Error::Refused(Refusal::WrongCode)) if attempt.tries >= TRIES_MAX => {
            let mut tx = ctx.db.begin().await?;
            tell(ctx, &mut tx, attempt.person, AccountNews::CodesGuessed).await?;
            let by = By { who: Who::Nobody, origin };
            audit::record(&mut tx, &by.did(What::SignInRefused, About::Person(attempt.person))).await?;
            tx.commit().await?;
            Err(Refusal::SignInIsOver.into())
        }
        Err(error) => Err(error),
    }
}

/// Ends every one of somebody's whose password changes.
pub(super) async fn end_all(db: impl sqlx::PgExecutor<'_>, person: PersonId) -> Result<()> {
    sqlx::query!("delete from sign_in_attempts where person_id = $1", person as PersonId).execute(db).await?;
    Ok(())
}
