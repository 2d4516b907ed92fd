//! Giving somebody another role.

use domain::{PersonId, Role};
use sqlx::PgConnection;

use super::Admin;
use crate::audit::{self, About, By, Change, Origin, Reason, What};
use crate::people::fresh::Fresh;
use crate::people::sessions;
use crate::{Context, Error, Refusal, Result};

/// Gives somebody a role and ends their sessions, so that new rights begin with a new session. `why` is written down.
/// `false`: there is nobody with this email.
pub async fn set_role(ctx: &Context, by: &By<'_>, email: &str, role: Role, why: &str) -> Result<bool> {
    let email = email.trim().to_lowercase();
    let mut tx = ctx.db.begin().await?;
    let found = sqlx::query!(
        r#"select id as "id: PersonId", role from user_profiles where email = $1 for no key update"#,
        email
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(found) = found else { return Ok(false) };
    change_role(&mut tx, by, found.id, &found.role, role, why).await?;
    tx.commit().await?;
    Ok(true)
}

/// The same by an admin, for somebody else.
///
/// Errors: [`Refusal::OwnRole`]; [`Error::NotFound`], also for somebody who has left.
pub async fn set_role_of(
    ctx: &Context,
    admin: &Admin,
    _: &Fresh,
    origin: &Origin,
    person: PersonId,
    role: Role,
    why: &Reason,
) -> Result<()> {
    if admin.person().id() == person {
        return Err(Refusal::OwnRole.into());
    }
    let mut tx = ctx.db.begin().await?;
    let before = sqlx::query_scalar!(
        "select role from user_profiles where id = $1 and deleted_at is null for no key update",
        person as PersonId,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Error::NotFound)?;
    change_role(&mut tx, &admin.by(origin), person, &before, role, why.as_str()).await?;
    Ok(tx.commit().await?)
}

async fn change_role(
    tx: &mut PgConnection,
    by: &By<'_>,
    person: PersonId,
    before: &str,
    role: Role,
    why: &str,
) -> Result<()> {
    sqlx::query!("update user_profiles set role = $2 where id = $1", person as PersonId, role.as_str())
        .execute(&mut *tx)
        .await?;
    let ended = sessions::end_all(&mut *tx, person).await?;
    let change = Change::none().from_to("role", before, role.as_str()).noted("sessions_ended", ended);
    audit::record(tx, &by.did(What::RoleChanged, About::Person(person)).with(change).because(why)).await
}
