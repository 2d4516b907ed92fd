//! Whose an address is. Somebody claims one, a link goes there, and who uses the link and is known to us besides, by their
//! session or their password, has it. The link alone would hand an address to whoever opened an account in its owner's name.

use domain::{FieldErrors, PersonId};
use secrecy::SecretString;
use sqlx::PgConnection;

use super::fresh::Fresh;
use super::links::{self, Link, Purpose, Token};
use super::password::{self, NewPassword, Turn};
use super::register::Email;
use super::{SignedIn, confirm, devices, half, sessions};
use crate::audit::{self, About, By, Origin, What, Who};
use crate::limits::{self, MAIL_BY_RECIPIENT};
use crate::notify::{self, AccountNews, News};
use crate::{Context, Error, Refusal, Result};

/// Sends the link for the address that the person claims once more.
///
/// Errors: [`Error::NotFound`] when they claim none; [`Refusal::TooManyTries`].
pub async fn send_again<'a>(ctx: &Context, person: &'a SignedIn) -> Result<&'a str> {
    let claimed = person.claimed_email().ok_or(Error::NotFound)?;
    limits::take(ctx, &MAIL_BY_RECIPIENT, claimed).await?;
    let mut tx = ctx.db.begin().await?;
    ask_to_confirm(ctx, &mut tx, person.id(), claimed).await?;
    tx.commit().await?;
    Ok(claimed)
}

pub(super) async fn ask_to_confirm(ctx: &Context, tx: &mut PgConnection, id: PersonId, address: &str) -> Result<()> {
    notify::announce(ctx, tx, &[News::account(AccountNews::ConfirmEmail, Some(id), address)]).await
}

/// The person will have another address: a link goes there, and until it is used all stays as it is. Whether somebody
/// else has that address is not told here, but in the mail.
pub async fn change(ctx: &Context, fresh: &Fresh, new: Email, origin: &Origin) -> Result<()> {
    let person = fresh.person();
    if person.email_is_confirmed() && person.email() == new.as_str() {
        return Err(Error::Invalid(FieldErrors::one("email", "This is your address already.")));
    }
    limits::take(ctx, &MAIL_BY_RECIPIENT, new.as_str()).await?;
    let id = person.id();
    let mut tx = ctx.db.begin().await?;
    sqlx::query!("update user_profiles set claimed_email = $2 where id = $1", id as PersonId, new.as_str())
        .execute(&mut *tx)
        .await?;
    ask_to_confirm(ctx, &mut tx, id, new.as_str()).await?;
    let by = By { who: Who::Person(id), origin };
    audit::record(&mut tx, &by.did(What::EmailChangeAsked, About::Person(id))).await?;
    tx.commit().await?;
    Ok(())
}

/// Takes a change back that was not confirmed yet.
pub async fn stay(ctx: &Context, person: &SignedIn) -> Result<()> {
    let id = person.id();
    sqlx::query!("update user_profiles set claimed_email = null where id = $1 and email is not null", id as PersonId)
        .execute(&ctx.db)
        .await?;
    Ok(())
}

/// Makes the address theirs, for whoever is signed in and followed the link of their own account. Their other sessions end
/// when it takes the place of another; `session` is the one that goes on.
///
/// Errors: [`Refusal::LinkIsOver`], [`Refusal::AddressTaken`].
pub async fn confirm_here(
    ctx: &Context,
    person: &SignedIn,
    token: &Token,
    session: [u8; 32],
    origin: &Origin,
) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    let link = links::redeem(ctx, &mut tx, Purpose::ConfirmEmail, token).await?;
    if link.person != person.id() {
        return Err(Refusal::LinkIsOver.into());
    }
    let replaced = take(ctx, &mut tx, &link).await?.is_some();
    if replaced {
        sessions::end_all_but(&mut *tx, link.person, session).await?;
    }
    note(&mut tx, &link, replaced, origin).await?;
    tx.commit().await?;
    Ok(())
}

/// The same for somebody who isn't signed in here, and knows the password.
///
/// Errors: as [`confirm_here`], and those of [`confirm::check_password`].
pub async fn confirm_elsewhere(ctx: &Context, token: &Token, password: SecretString, origin: &Origin) -> Result<()> {
    let link = links::look(ctx, Purpose::ConfirmEmail, token).await?.ok_or(Refusal::LinkIsOver)?;
    confirm::check_password(ctx, link.person, password, origin).await?;
    let mut tx = ctx.db.begin().await?;
    let link = links::redeem(ctx, &mut tx, Purpose::ConfirmEmail, token).await?;
    let replaced = take(ctx, &mut tx, &link).await?.is_some();
    if replaced {
        sessions::end_all(&mut *tx, link.person).await?;
    }
    note(&mut tx, &link, replaced, origin).await?;
    tx.commit().await?;
    Ok(())
}

/// Takes an address back after somebody else changed it, with a new password, for they may know the old one. Ends every
/// session of the account.
///
/// Errors: [`Refusal::LinkIsOver`], [`Refusal::AddressTaken`].
pub async fn take_back(ctx: &Context, token: &Token, new: NewPassword, origin: &Origin) -> Result<()> {
    links::look(ctx, Purpose::KeepEmail, token).await?.ok_or(Refusal::LinkIsOver)?;
    let hash = password::hash(&Turn::of_somebody_known()?, new).await?;
    let mut tx = ctx.db.begin().await?;
    let link = links::redeem(ctx, &mut tx, Purpose::KeepEmail, token).await?;
    sqlx::query!(
        "update user_profiles set email = $2, claimed_email = null, password_hash = $3 where id = $1",
        link.person as PersonId,
        link.address,
        hash,
    )
    .execute(&mut *tx)
    .await
    .map_err(taken)?;
    sessions::end_all(&mut *tx, link.person).await?;
    devices::forget_all(&mut *tx, link.person).await?;
    half::end_all(&mut *tx, link.person).await?;
    links::end_resets(&mut *tx, link.person).await?;
    let news = News::account(AccountNews::PasswordChanged, Some(link.person), &link.address);
    notify::announce(ctx, &mut tx, &[news]).await?;
    note(&mut tx, &link, true, origin).await?;
    tx.commit().await?;
    Ok(())
}

/// The claim becomes the address. What it replaces, if anything, is told, with a way back.
async fn take(ctx: &Context, tx: &mut PgConnection, link: &Link) -> Result<Option<String>> {
    let row = sqlx::query!(
        "select email from user_profiles where id = $1 and claimed_email = $2 for update",
        link.person as PersonId,
        link.address,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Refusal::LinkIsOver)?;
    sqlx::query!(
        "update user_profiles set email = $2, claimed_email = null where id = $1",
        link.person as PersonId,
        link.address,
    )
    .execute(&mut *tx)
    .await
    .map_err(taken)?;
    if let Some(old) = &row.email {
        let news = News::account(AccountNews::EmailChanged, Some(link.person), old);
        notify::announce(ctx, tx, &[news]).await?;
    }
    Ok(row.email)
}

/// Into the audit, as the last statement.
async fn note(tx: &mut PgConnection, link: &Link, replaced: bool, origin: &Origin) -> Result<()> {
    let by = By { who: Who::Person(link.person), origin };
    let what = if replaced { What::EmailChanged } else { What::EmailVerified };
    audit::record(tx, &by.did(what, About::Person(link.person))).await
}

/// Somebody else was faster.
pub(super) fn taken(error: sqlx::Error) -> Error {
    let constraint = error.as_database_error().and_then(|database| database.constraint());
    if constraint == Some("user_profiles_email") { Refusal::AddressTaken.into() } else { error.into() }
}
