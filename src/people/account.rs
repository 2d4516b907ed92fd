//! What people change about themselves.

use domain::{FieldErrors, PersonId};
use time::OffsetDateTime;

use super::fresh::Fresh;
use super::password::{self, NewPassword, Turn};
use super::{Owner, SignedIn, devices, half, links, sessions};
use crate::audit::{self, About, By, Change, Origin, What, Who};
use crate::notify::{self, AccountNews, News};
use crate::{Context, Result};

const NAME_LENGTH_MAX: usize = 80;

/// A name as people write it: any script, no control characters, at most 80 characters. Empty is fine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    pub fn parse(field: &str, text: &str) -> Result<Self, FieldErrors> {
        let name = text.trim();
        if name.chars().count() > NAME_LENGTH_MAX {
            return Err(FieldErrors::one(field, format!("Use at most {NAME_LENGTH_MAX} characters.")));
        }
        if name.chars().any(char::is_control) {
            return Err(FieldErrors::one(field, "Leave out line breaks and other control characters."));
        }
        Ok(Self(name.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// When the account was made.
pub async fn since(ctx: &Context, person: &Owner) -> Result<OffsetDateTime> {
    let id = person.id();
    Ok(sqlx::query_scalar!("select created_at from user_profiles where id = $1", id as PersonId)
        .fetch_one(&ctx.db)
        .await?)
}

pub async fn rename(ctx: &Context, person: &SignedIn, name: Name) -> Result<()> {
    let id = person.id();
    sqlx::query!("update user_profiles set name = $2 where id = $1", id as PersonId, name.0).execute(&ctx.db).await?;
    Ok(())
}

/// Changes the password, ends every session of the person and forgets their devices; the caller starts a new session.
pub async fn change_password(ctx: &Context, fresh: &Fresh, new: NewPassword, origin: &Origin) -> Result<()> {
    let person = fresh.person();
    let id = person.id();
    let hash = password::hash(&Turn::of_somebody_known()?, new).await?;
    let mut tx = ctx.db.begin().await?;
    sqlx::query!("update user_profiles set password_hash = $2 where id = $1", id as PersonId, hash)
        .execute(&mut *tx)
        .await?;
    let ended = sessions::end_all(&mut *tx, id).await?;
    devices::forget_all(&mut *tx, id).await?;
    half::end_all(&mut *tx, id).await?;
    links::end_resets(&mut *tx, id).await?;
    if person.email_is_confirmed() {
        let news = News::account(AccountNews::PasswordChanged, Some(id), person.email());
        notify::announce(ctx, &mut tx, &[news]).await?;
    }
    let by = By { who: Who::Person(id), origin };
    let change = Change::none().noted("sessions_ended", ended);
    audit::record(&mut tx, &by.did(What::PasswordChanged, About::Person(id)).with(change)).await?;
    tx.commit().await?;
    Ok(())
}
