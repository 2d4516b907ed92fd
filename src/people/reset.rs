//! A new password for whoever reads what is sent to the account's address. It signs nobody in: who has a second factor needs
//! it afterwards as ever.

use std::net::{IpAddr, Ipv4Addr};

use domain::PersonId;

use super::links::{self, Purpose, Token};
use super::password::{self, NewPassword, Turn};
use super::register::Email;
use super::{devices, email, half, sessions};
use crate::audit::{self, About, By, Origin, What, Who};
use crate::limits::{self, MAIL_BY_RECIPIENT, RESET_BY_ADDRESS};
use crate::notify::{self, AccountNews, News};
use crate::{Context, Refusal, Result};

/// Has a link sent to the address, if there is an account to it: that is looked up when the mail is written, so that asking
/// does the same for everybody (T47).
///
/// Errors: [`Refusal::TooManyTries`], whether there is an account or not.
pub async fn ask(ctx: &Context, address: &Email, origin: &Origin) -> Result<()> {
    let place = limits::by_address(origin.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
    limits::take_all(ctx, &[(&RESET_BY_ADDRESS, place.as_str()), (&MAIL_BY_RECIPIENT, address.as_str())]).await?;
    let mut tx = ctx.db.begin().await?;
    notify::announce(ctx, &mut tx, &[News::account(AccountNews::ResetPassword, None, address.as_str())]).await?;
    let by = By { who: Who::Nobody, origin };
    audit::record(&mut tx, &by.did(What::PasswordResetAsked, About::Address(address.as_str()))).await?;
    tx.commit().await?;
    Ok(())
}

/// Sets the password, ends every session and forgets every device. An address that was only claimed is theirs now.
///
/// Errors: [`Refusal::LinkIsOver`], also when the account has another address by now; [`Refusal::AddressTaken`].
pub async fn reset(ctx: &Context, token: &Token, new: NewPassword, origin: &Origin) -> Result<()> {
    // Hashing is dear: not for whoever has no link.
    links::look(ctx, Purpose::ResetPassword, token).await?.ok_or(Refusal::LinkIsOver)?;
    let hash = password::hash(&Turn::of_somebody_known()?, new).await?;
    let mut tx = ctx.db.begin().await?;
    let link = links::redeem(ctx, &mut tx, Purpose::ResetPassword, token).await?;
    let done = sqlx::query!(
        "update user_profiles set password_hash = $3, email = $2,
            claimed_email = case when email is null then null else claimed_email end
        where id = $1 and (email = $2 or (email is null and claimed_email = $2))",
        link.person as PersonId,
        link.address,
        hash,
    )
    .execute(&mut *tx)
    .await
    .map_err(email::taken)?;
    if done.rows_affected() == 0 {
        return Err(Refusal::LinkIsOver.into());
    }
    sessions::end_all(&mut *tx, link.person).await?;
    devices::forget_all(&mut *tx, link.person).await?;
    half::end_all(&mut *tx, link.person).await?;
    links::end_resets(&mut *tx, link.person).await?;
    let news = News::account(AccountNews::PasswordChanged, Some(link.person), &link.address);
    notify::announce(ctx, &mut tx, &[news]).await?;
    let by = By { who: Who::Person(link.person), origin };
    audit::record(&mut tx, &by.did(What::PasswordReset, About::Person(link.person))).await?;
    tx.commit().await?;
    Ok(())
}
