//! Signing in by email and password.

use domain::PersonId;
use secrecy::SecretString;

use super::{SignedIn, password};
use crate::{Context, Error, Refusal, Result};

/// Errors: [`Refusal::WrongCredentials`] for an unknown email and for a wrong password alike, after the same work.
pub async fn sign_in(ctx: &Context, email: &str, password: SecretString) -> Result<SignedIn> {
    let email = email.trim().to_lowercase();
    let known = sqlx::query!(
        r#"select id as "id: PersonId", password_hash from user_profiles where email = $1"#,
        // PostgreSQL text can't hold a zero byte, and no stored address has one.
        email.replace('\0', " "),
    )
    .fetch_optional(&ctx.db)
    .await?;
    let (id, hash) = known.map(|row| (row.id, row.password_hash)).unzip();
    let matches = password::verify(hash, password).await?;
    let (Some(id), true) = (id, matches) else {
        return Err(Refusal::WrongCredentials.into());
    };
    super::load(&ctx.db, id).await?.ok_or_else(|| Error::broken("a person without a wallet"))
}
