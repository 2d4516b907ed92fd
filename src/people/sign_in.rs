//! Signing in by email and password.

use std::net::IpAddr;

use domain::PersonId;
use secrecy::SecretString;

use super::devices::{self, DeviceToken};
use super::{SignedIn, password};
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

/// Tries that fail are counted, by address and by account, whether there is such an account or not.
///
/// Errors: [`Refusal::WrongCredentials`] for an unknown email and for a wrong password alike, after the same work;
/// [`Refusal::TooManyTries`] and [`Refusal::TooBusy`] before any.
pub async fn sign_in(ctx: &Context, email: &str, password: SecretString, knock: &Knock) -> Result<SignedIn> {
    // PostgreSQL text can't hold a zero byte, and no stored address has one.
    let email = email.trim().to_lowercase().replace('\0', " ");
    let address = limits::by_address(knock.address);
    let mut counted = vec![(&SIGN_IN_BY_ADDRESS, address.as_str())];
    let known_device = match &knock.device {
        Some(device) => devices::is_known(&ctx.db, device, &email).await?,
        None => false,
    };
    if !known_device {
        counted.push((&SIGN_IN_BY_ACCOUNT, email.as_str()));
    }
    limits::take_all(ctx, &counted).await?;
    let checked = check(ctx, &email, password).await;
    if matches!(checked, Err(Error::Refused(Refusal::WrongCredentials))) {
        note_refusal(ctx, &email, knock).await?;
    } else {
        limits::give_back_all(ctx, &counted).await?;
    }
    checked
}

/// The same for an address that nobody has as for a wrong password: nobody learns from it, or from how long it takes, whether
/// there is such an account (T47). What succeeds is noted with the session that begins.
async fn note_refusal(ctx: &Context, email: &str, knock: &Knock) -> Result<()> {
    let by = By { who: Who::Nobody, origin: &knock.origin() };
    let mut db = ctx.db.acquire().await?;
    audit::record(&mut db, &by.did(What::SignInRefused, About::Address(email))).await
}

async fn check(ctx: &Context, email: &str, password: SecretString) -> Result<SignedIn> {
    let known =
        sqlx::query!(r#"select id as "id: PersonId", password_hash from user_profiles where email = $1"#, email,)
            .fetch_optional(&ctx.db)
            .await?;
    let (id, hash) = known.map(|row| (row.id, row.password_hash)).unzip();
    let matches = password::verify(hash, password).await?;
    let (Some(id), true) = (id, matches) else {
        return Err(Refusal::WrongCredentials.into());
    };
    super::load(&ctx.db, id).await?.ok_or_else(|| Error::broken("a person without a wallet"))
}
