//! Setting up an Atlas that has no admin yet. A code from the log lets somebody in; once there is an admin, nobody.

pub mod code;
pub mod first_admin;
pub mod standing;
pub mod whop;

use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::audit::{By, Origin, Who};
use crate::{Context, Error, Result};

/// Proof that somebody entered the present code, while there was no admin.
#[derive(Debug, Clone)]
pub struct Installer {
    generation: Uuid,
}

/// Whoever knows the code reads the server's log: an operator.
const fn by(origin: &Origin) -> By<'_> {
    By { who: Who::Operator("set-up page"), origin }
}

/// Whether there is no admin yet.
pub async fn is_open(db: impl PgExecutor<'_>) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select not exists (select from user_profiles where role = 'admin' and deleted_at is null) as "open!""#
    )
    .fetch_one(db)
    .await?)
}

/// The proof for whoever entered the code of this generation. None: there is a newer one, its time is over, or there is an admin.
pub async fn installer(ctx: &Context, generation: Uuid) -> Result<Option<Installer>> {
    let counts = sqlx::query_scalar!(
        r#"select exists (select from set_up_code where generation = $1 and expires_at > $2) as "counts!""#,
        generation,
        ctx.now(),
    )
    .fetch_one(&ctx.db)
    .await?;
    Ok((counts && is_open(&ctx.db).await?).then_some(Installer { generation }))
}

/// Lets one step of a set-up after the other happen, and none once there is an admin.
///
/// Errors: [`Error::NotFound`] then.
async fn take_turn(tx: &mut PgConnection) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('atlas.set_up', 0))").execute(&mut *tx).await?;
    if is_open(&mut *tx).await? { Ok(()) } else { Err(Error::NotFound) }
}
