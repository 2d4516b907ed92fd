//! Letters to people about their own account. Whether there is an account at an address is looked up here, when the letter is
//! written, and nowhere while somebody waits for an answer (T47).

use domain::{PersonId, paths};

use super::buyer::{Addressed, address};
use super::letter::Letter;
use crate::people::links::{self, Purpose, Token};
use crate::{Context, Error, Result};

/// Something about somebody's own account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountNews {
    /// A link to the address that they claim.
    ConfirmEmail,
    /// A link to whoever has the address, for a new password.
    ResetPassword,
    /// To the address that they had, with a way back.
    EmailChanged,
    PasswordChanged,
    SecondFactorOn,
    SecondFactorOff,
    RecoveryCodeUsed,
    /// Somebody who knows the password does not know the code.
    CodesGuessed,
}

/// As it stands in the outbox.
pub(super) struct About<'a> {
    pub mail: i64,
    pub person: Option<PersonId>,
    pub address: &'a str,
}

impl About<'_> {
    fn person(&self) -> Result<PersonId> {
        self.person.ok_or_else(|| Error::broken(format!("mail {} is about nobody", self.mail)))
    }
}

pub(super) async fn letter(ctx: &Context, news: AccountNews, about: &About<'_>) -> Result<Option<Addressed>> {
    let letter = match news {
        AccountNews::ConfirmEmail => confirm_email(ctx, about).await?,
        AccountNews::ResetPassword => reset_password(ctx, about).await?,
        AccountNews::EmailChanged => email_changed(ctx, about).await?,
        AccountNews::PasswordChanged => Some(notice(
            ctx,
            "Your password was changed",
            "The password of your account was changed, and you were signed out everywhere else.",
        )),
        AccountNews::SecondFactorOn => Some(notice(
            ctx,
            "Signing in now takes a code",
            "A second factor was set up for your account: signing in takes a code from your authenticator from now on.",
        )),
        AccountNews::SecondFactorOff => Some(notice(
            ctx,
            "Signing in takes no code any more",
            "The second factor of your account was removed: your password alone signs in.",
        )),
        AccountNews::RecoveryCodeUsed => Some(notice(
            ctx,
            "A recovery code was used",
            "Somebody signed in to your account with one of your recovery codes. It does not work again.",
        )),
        AccountNews::CodesGuessed => Some(notice(
            ctx,
            "Somebody knows your password",
            "Somebody entered your password and then several wrong codes. They did not get in.",
        )),
    };
    Ok(letter.map(|letter| (about.address.to_owned(), letter)))
}

/// None: they claim something else by now.
async fn confirm_email(ctx: &Context, about: &About<'_>) -> Result<Option<Letter>> {
    let person = about.person()?;
    let row = sqlx::query!(
        r#"select person.email is not null as "is_change!",
            exists (select from user_profiles owner where owner.email = person.claimed_email) as "is_taken!"
        from user_profiles person where person.id = $1 and person.claimed_email = $2"#,
        person as PersonId,
        about.address,
    )
    .fetch_optional(&ctx.db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if row.is_taken {
        let letter = Letter::new("You have an account already")
            .sentence(
                "Somebody used this address for a new account at Atlas Credits, or for one that they have. You have an \
                account with it already, so nothing was changed about yours.",
            )
            .sentence("If that was you, sign in instead, or choose a new password. If not, there is nothing to do.")
            .link("Sign in", address(ctx, paths::SIGN_IN))
            .link("Choose a new password", address(ctx, paths::FORGOT_PASSWORD));
        return Ok(Some(letter));
    }
    let Some(token) = links::issue(ctx, about.mail, Purpose::ConfirmEmail, person, about.address).await? else {
        return Ok(None);
    };
    let what = if row.is_change {
        "This is to become the address of your account at Atlas Credits. Confirm that it is yours; until then all stays as \
        it is."
    } else {
        "Thank you for opening an account at Atlas Credits. Confirm that this address is yours; then you can sign in with it \
        anywhere."
    };
    let letter = Letter::new("Confirm your email address")
        .sentence(what)
        .link("Confirm this address", linked(ctx, paths::CONFIRM_EMAIL, &token))
        .sentence("The link works once, for a day. If you know nothing of this, there is nothing to do.");
    Ok(Some(letter))
}

/// None: nobody has the address. Where several only claim it, the last one who did is meant.
async fn reset_password(ctx: &Context, about: &About<'_>) -> Result<Option<Letter>> {
    let person = sqlx::query_scalar!(
        r#"select id as "id: PersonId" from user_profiles where email = $1 or (email is null and claimed_email = $1)
        order by email is null, created_at desc, id desc limit 1"#,
        about.address,
    )
    .fetch_optional(&ctx.db)
    .await?;
    let Some(person) = person else { return Ok(None) };
    let Some(token) = links::issue(ctx, about.mail, Purpose::ResetPassword, person, about.address).await? else {
        return Ok(None);
    };
    let letter = Letter::new("Choose a new password")
        .sentence("Somebody, probably you, asked for a new password for your account at Atlas Credits.")
        .link("Choose a new password", linked(ctx, paths::RESET_PASSWORD, &token))
        .sentence(
            "The link works once, for 20 minutes. If it wasn’t you, there is nothing to do: without this mail nobody can \
            change anything.",
        );
    Ok(Some(letter))
}

/// Goes to the old address.
async fn email_changed(ctx: &Context, about: &About<'_>) -> Result<Option<Letter>> {
    let person = about.person()?;
    let Some(token) = links::issue(ctx, about.mail, Purpose::KeepEmail, person, about.address).await? else {
        return Ok(None);
    };
    let letter = Letter::new("Your email address was changed")
        .sentence(
            "Your account at Atlas Credits has another email address now, so this is the last mail about it to this one. If \
            that was you, there is nothing to do.",
        )
        .sentence(
            "If it wasn’t, take your account back: this address becomes yours again, you choose a new password, and everybody \
            is signed out. The link works once, for seven days.",
        )
        .link("It wasn’t me", linked(ctx, paths::KEEP_EMAIL, &token));
    Ok(Some(letter))
}

fn notice(ctx: &Context, subject: &str, what: &str) -> Letter {
    Letter::new(subject)
        .sentence(what)
        .sentence(
            "If that was you, there is nothing to do. If it wasn’t, choose a new password at once and write to us.",
        )
        .link("Choose a new password", address(ctx, paths::FORGOT_PASSWORD))
        .link("Your account", address(ctx, paths::ACCOUNT))
}

fn linked(ctx: &Context, path: &str, token: &Token) -> String {
    format!("{}?token={}", address(ctx, path), token.expose())
}
