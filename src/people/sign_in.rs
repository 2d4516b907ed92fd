//! Signing in by email and password.

use std::net::IpAddr;

use domain::PersonId;
use secrecy::SecretString;

use super::SignedIn;
use super::devices::{self, DeviceToken};
use super::half::Entrance;
use super::password::{self, Turn};
use crate::audit::{self, About, By, Origin, What, Who};
use crate::limits::{self, SIGN_IN_BY_ACCOUNT, SIGN_IN_BY_ADDRESS};
use crate::{Context, Error, Refusal, Result};

/// Where somebody tries from.
#[derive(Debug, Clone)]
pub struct Knock {
    pub address: IpAddr,
    pub device: Option<DeviceToken>,
    /// What the log knows the request by.
    pub request: Option<String>,
}

impl Knock {
    pub fn origin(&self) -> Origin {
        Origin { session: None, address: Some(self.address), request: self.request.clone() }
    }
}

/// Whose password is looked at.
pub(super) struct Candidate {
    pub id: PersonId,
    /// Empty or none: they never set a password.
    pub hash: Option<String>,
}

/// Tries that fail are counted, by address and by account, whether there is such an account or not.
///
/// Errors: [`Refusal::WrongCredentials`] for an unknown email and for a wrong password alike, after the same work;
/// [`Refusal::TooManyTries`] and [`Refusal::TooBusy`] before any.
pub async fn sign_in(ctx: &Context, email: &str, password: SecretString, knock: &Knock) -> Result<Entrance> {
    // PostgreSQL text can't hold a zero byte, and no stored address has one.
    let email = email.trim().to_lowercase().replace('\0', " ");
    let known_device = match &knock.device {
        Some(device) => devices::is_known(&ctx.db, device, &email).await?,
        None => false,
    };
    let turn = if known_device { Turn::of_somebody_known() } else { Turn::of_a_stranger() }?;
    let address = limits::by_address(knock.address);
    let mut counted = vec![(&SIGN_IN_BY_ADDRESS, address.as_str())];
    if !known_device {
        counted.push((&SIGN_IN_BY_ACCOUNT, email.as_str()));
    }
    limits::take_all(ctx, &counted).await?;
    let checked = check(ctx, &turn, &email, password, knock.device.as_ref()).await;
    if matches!(checked, Err(Error::Refused(Refusal::WrongCredentials))) {
        note_refusal(ctx, &email, knock).await?;
    } else {
        limits::give_back_all(ctx, &counted).await?;
    }
    checked.map(Entrance::of)
}

/// The same for an address that nobody has as for a wrong password: nobody learns from it, or from how long it takes, whether
/// there is such an account (T47). What succeeds is noted with the session that begins.
async fn note_refusal(ctx: &Context, email: &str, knock: &Knock) -> Result<()> {
    let by = By { who: Who::Nobody, origin: &knock.origin() };
    let mut db = ctx.db.acquire().await?;
    audit::record(&mut db, &by.did(What::SignInRefused, About::Address(email))).await
}

async fn check(
    ctx: &Context,
    turn: &Turn,
    email: &str,
    password: SecretString,
    device: Option<&DeviceToken>,
) -> Result<SignedIn> {
    let owner = owner(ctx, email).await?;
    let claimant = match device {
        Some(device) => devices::claimant(&ctx.db, device, email).await?,
        None => None,
    };
    // Where somebody opened an account with the address and has not shown that it is theirs, both passwords are looked at in
    // any case: that browser learns nothing of whether the address has an owner (T47).
    let by_owner = matches(ctx, turn, owner.as_ref(), &password).await?;
    let by_claimant = match &claimant {
        Some(claimant) => matches(ctx, turn, Some(claimant), &password).await?,
        None => false,
    };
    let who = match (owner, claimant) {
        (Some(owner), _) if by_owner => owner.id,
        (_, Some(claimant)) if by_claimant => claimant.id,
        _ => return Err(Refusal::WrongCredentials.into()),
    };
    super::load(&ctx.db, who).await?.ok_or_else(|| Error::broken("a person without a wallet"))
}

async fn owner(ctx: &Context, email: &str) -> Result<Option<Candidate>> {
    Ok(sqlx::query_as!(
        Candidate,
        r#"select id as "id: PersonId", password_hash as "hash?" from user_profiles where email = $1"#,
        email,
    )
    .fetch_optional(&ctx.db)
    .await?)
}

/// One hash is computed, whoever it is. A right password whose hash is of old gets a new one.
pub(super) async fn matches(
    ctx: &Context,
    turn: &Turn,
    candidate: Option<&Candidate>,
    password: &SecretString,
) -> Result<bool> {
    let hash = candidate.and_then(|candidate| candidate.hash.clone());
    let matches = password::verify(turn, hash.clone(), password.clone()).await?;
    if let (true, Some(candidate), Some(old)) = (matches, candidate, hash.filter(|hash| password::is_outdated(hash))) {
        let new = password::hash_as_typed(turn, password.clone()).await?;
        sqlx::query!(
            "update user_profiles set password_hash = $2 where id = $1 and password_hash = $3",
            candidate.id as PersonId,
            new,
            old,
        )
        .execute(&ctx.db)
        .await?;
    }
    Ok(matches)
}
