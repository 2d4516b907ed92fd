//! Making an account.

use domain::{FieldErrors, PersonId};
use sqlx::PgPool;

use super::password::{self, NewPassword};
use super::{Role, SignedIn};
use crate::audit::{self, About, By, Change, Origin, What, Who};
use crate::{Context, Error, Result, ids};

const EMAIL_LENGTH_MAX: usize = 254;
const EMAIL_TAKEN: &str = "There is an account with this email already. Sign in instead.";

/// An email address in the form we keep: trimmed and in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Only a plausibility check: something on both sides of one `@`, a dot on the right, no spaces. Whether mail
    /// arrives there is for a mail to find out.
    pub fn parse(field: &str, text: &str) -> Result<Self, FieldErrors> {
        let email = text.trim().to_lowercase();
        if email.is_empty() {
            return Err(FieldErrors::one(field, "Enter your email address."));
        }
        let plausible = email.len() <= EMAIL_LENGTH_MAX
            && !email.chars().any(|c| c.is_whitespace() || c.is_control())
            && email.split_once('@').is_some_and(|(local, host)| {
                !local.is_empty()
                    && !host.contains('@')
                    && host.contains('.')
                    && !host.starts_with('.')
                    && !host.ends_with('.')
            });
        if plausible {
            Ok(Self(email))
        } else {
            Err(FieldErrors::one(
                field,
                "This doesn’t look like an email address. It should read like ana@example.com.",
            ))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Makes a person with an empty wallet.
///
/// Errors: [`Error::Invalid`] on `email` when it is taken.
pub async fn register(ctx: &Context, email: Email, password: NewPassword, origin: &Origin) -> Result<SignedIn> {
    let hash = password::hash(password).await?;
    create(&ctx.db, &email, &hash, Role::Buyer, None, origin).await
}

/// Makes a person with any role; for the command line.
pub async fn register_as(
    ctx: &Context,
    by: &By<'_>,
    email: Email,
    password: NewPassword,
    role: Role,
) -> Result<SignedIn> {
    let hash = password::hash(password).await?;
    create(&ctx.db, &email, &hash, role, Some(by.who), by.origin).await
}

/// `who`: none, when people make their own account.
async fn create(
    db: &PgPool,
    email: &Email,
    hash: &str,
    role: Role,
    who: Option<Who>,
    origin: &Origin,
) -> Result<SignedIn> {
    let id = PersonId::from_uuid(ids::fresh());
    let mut tx = db.begin().await?;
    let made = sqlx::query!(
        "insert into user_profiles (id, email, password_hash, role) values ($1, $2, $3, $4)
        on conflict (email) do nothing",
        id as PersonId,
        email.as_str(),
        hash,
        role.as_str(),
    )
    .execute(&mut *tx)
    .await?;
    if made.rows_affected() == 0 {
        return Err(Error::Invalid(FieldErrors::one("email", EMAIL_TAKEN)));
    }
    sqlx::query!("select credits_open_wallet($1)", id as PersonId).fetch_one(&mut *tx).await?;
    let person = super::load(&mut *tx, id).await?.ok_or_else(|| Error::broken("a new person is not there"))?;
    let by = By { who: who.unwrap_or(Who::Person(id)), origin };
    let change = Change::none().noted("role", role.as_str());
    audit::record(&mut tx, &by.did(What::Registered, About::Person(id)).with(change)).await?;
    tx.commit().await?;
    Ok(person)
}
