//! Showing again that it is you, in the middle of a session.

use std::net::{IpAddr, Ipv4Addr};

use domain::PersonId;
use secrecy::SecretString;

use super::SignedIn;
use super::password::Turn;
use super::second_factor::check;
use super::sign_in::{Candidate, matches};
use crate::audit::{self, About, By, Origin, What, Who};
use crate::limits::{self, CONFIRM_BY_PERSON, SIGN_IN_BY_ADDRESS};
use crate::{Context, Error, Refusal, Result};

/// Checks the person's password again, and a code where they have a second factor; `code` is not looked at otherwise. Tries
/// that fail are counted as those of signing in are, by address and by person; no device is free of it, for it may be a stolen
/// one.
///
/// Errors: [`Refusal::WrongPassword`], [`Refusal::WrongCode`]; [`Refusal::TooManyTries`] and [`Refusal::TooBusy`] before
/// anything is looked at.
pub async fn confirm(
    ctx: &Context,
    person: &SignedIn,
    password: SecretString,
    code: &str,
    origin: &Origin,
) -> Result<()> {
    check_password(ctx, person.id(), password, origin).await?;
    if person.has_second_factor() { check::take(ctx, person.id(), code, origin).await } else { Ok(()) }
}

pub(super) async fn check_password(ctx: &Context, id: PersonId, password: SecretString, origin: &Origin) -> Result<()> {
    let turn = Turn::of_somebody_known()?;
    let address = limits::by_address(origin.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
    let name = id.to_string();
    let counted = [(&SIGN_IN_BY_ADDRESS, address.as_str()), (&CONFIRM_BY_PERSON, name.as_str())];
    limits::take_all(ctx, &counted).await?;
    let checked = check(ctx, &turn, id, password).await;
    if matches!(checked, Err(Error::Refused(Refusal::WrongPassword))) {
        let by = By { who: Who::Person(id), origin };
        let mut db = ctx.db.acquire().await?;
        audit::record(&mut db, &by.did(What::ConfirmRefused, About::Person(id))).await?;
    } else {
        limits::give_back_all(ctx, &counted).await?;
    }
    checked
}

async fn check(ctx: &Context, turn: &Turn, id: PersonId, password: SecretString) -> Result<()> {
    let candidate = sqlx::query_as!(
        Candidate,
        r#"select id as "id: PersonId", password_hash as "hash?" from user_profiles where id = $1"#,
        id as PersonId
    )
    .fetch_optional(&ctx.db)
    .await?;
    if matches(ctx, turn, candidate.as_ref(), &password).await? { Ok(()) } else { Err(Refusal::WrongPassword.into()) }
}
