//! Showing again that it is you, in the middle of a session.

use std::net::IpAddr;

use domain::PersonId;
use secrecy::SecretString;

use super::{SignedIn, password};
use crate::limits::{self, CONFIRM_BY_PERSON, SIGN_IN_BY_ADDRESS};
use crate::{Context, Error, Refusal, Result};

/// Checks the person's password again. Tries that fail are counted as those of signing in are, by address and by person;
/// no device is free of it, for it may be a stolen one.
///
/// Errors: [`Refusal::WrongPassword`]; [`Refusal::TooManyTries`] and [`Refusal::TooBusy`] before it is looked at.
pub async fn confirm(ctx: &Context, person: &SignedIn, password: SecretString, from: IpAddr) -> Result<()> {
    let (id, address) = (person.id(), limits::by_address(from));
    let name = id.to_string();
    let counted = [(&SIGN_IN_BY_ADDRESS, address.as_str()), (&CONFIRM_BY_PERSON, name.as_str())];
    limits::take_all(ctx, &counted).await?;
    let checked = check(ctx, id, password).await;
    if !matches!(checked, Err(Error::Refused(Refusal::WrongPassword))) {
        limits::give_back_all(ctx, &counted).await?;
    }
    checked
}

async fn check(ctx: &Context, id: PersonId, password: SecretString) -> Result<()> {
    let hash =
        sqlx::query_scalar!(r#"select password_hash as "hash?" from user_profiles where id = $1"#, id as PersonId)
            .fetch_optional(&ctx.db)
            .await?;
    if password::verify(hash.flatten(), password).await? { Ok(()) } else { Err(Refusal::WrongPassword.into()) }
}
