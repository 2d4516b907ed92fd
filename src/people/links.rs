//! Links that go out by mail. Who uses one has shown that they read what is sent to its address, and no more: a link alone
//! signs nobody in. Its token stands in the mail and nowhere else; kept is its hash.

use std::fmt;

use domain::PersonId;
use rand::distr::{Alphanumeric, SampleString as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use sqlx::{PgConnection, PgExecutor};
use time::Duration;

use crate::sweep::{PART, in_parts};
use crate::{Context, Refusal, Result};

/// 62^43 is a little more than 2^256.
const TOKEN_CHARS: usize = 43;

/// What a link is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Makes the address that somebody claims theirs.
    ConfirmEmail,
    /// Sets a new password.
    ResetPassword,
    /// Takes an address back that somebody changed.
    KeepEmail,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::ConfirmEmail => "confirm_email",
            Self::ResetPassword => "reset_password",
            Self::KeepEmail => "keep_email",
        }
    }

    /// From when its mail is written.
    pub const fn valid_for(self) -> Duration {
        match self {
            Self::ResetPassword => Duration::minutes(20),
            // Takes a password or a session beside it.
            Self::ConfirmEmail => Duration::days(1),
            // Whoever it is for may be away for a while.
            Self::KeepEmail => Duration::days(7),
        }
    }
}

/// What stands at the end of a link.
#[derive(Clone)]
pub struct Token(SecretString);

impl Token {
    /// None: no token of ours looks like that.
    pub fn parse(text: &str) -> Option<Self> {
        let ours = text.len() == TOKEN_CHARS && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        ours.then(|| Self(SecretString::from(text)))
    }

    fn fresh() -> Self {
        Self(SecretString::from(Alphanumeric.sample_string(&mut rand::rng(), TOKEN_CHARS)))
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.expose()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A link that works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub person: PersonId,
    /// Where it was sent.
    pub address: String,
}

/// A link for a mail that is being written. Written again, it has another token, and the last one is over.
/// None: the link was used already.
pub(crate) async fn issue(
    ctx: &Context,
    mail: i64,
    purpose: Purpose,
    person: PersonId,
    address: &str,
) -> Result<Option<Token>> {
    let (token, now) = (Token::fresh(), ctx.now());
    let issued = sqlx::query!(
        "insert into mail_links as kept (mail_id, token_hash, purpose, person_id, address, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (mail_id) do update set token_hash = excluded.token_hash, created_at = excluded.created_at,
            expires_at = excluded.expires_at
        where kept.used_at is null and kept.person_id = excluded.person_id",
        mail,
        &token.hash()[..],
        purpose.as_str(),
        person as PersonId,
        address,
        now,
        now + purpose.valid_for(),
    )
    .execute(&ctx.db)
    .await?;
    Ok((issued.rows_affected() == 1).then_some(token))
}

/// What the link would do; looking uses nothing up. None: it was used, or it is too old, or it never was.
pub async fn look(ctx: &Context, purpose: Purpose, token: &Token) -> Result<Option<Link>> {
    Ok(sqlx::query_as!(
        Link,
        r#"select person_id as "person: PersonId", address from mail_links
        where token_hash = $1 and purpose = $2 and used_at is null and expires_at > $3"#,
        &token.hash()[..],
        purpose.as_str(),
        ctx.now(),
    )
    .fetch_optional(&ctx.db)
    .await?)
}

/// Uses the link up, in the transaction that does what it is for.
///
/// Errors: [`Refusal::LinkIsOver`].
pub(super) async fn redeem(ctx: &Context, tx: &mut PgConnection, purpose: Purpose, token: &Token) -> Result<Link> {
    let redeemed = sqlx::query_as!(
        Link,
        r#"update mail_links set used_at = $3
        where token_hash = $1 and purpose = $2 and used_at is null and expires_at > $3
        returning person_id as "person: PersonId", address"#,
        &token.hash()[..],
        purpose.as_str(),
        ctx.now(),
    )
    .fetch_optional(tx)
    .await?;
    Ok(redeemed.ok_or(Refusal::LinkIsOver)?)
}

/// Ends every unused link of the person's that sets a password.
pub(super) async fn end_resets(db: impl PgExecutor<'_>, person: PersonId) -> Result<()> {
    sqlx::query!(
        "delete from mail_links where person_id = $1 and purpose = $2 and used_at is null",
        person as PersonId,
        Purpose::ResetPassword.as_str(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets links that are over.
pub async fn sweep(ctx: &Context) -> Result<()> {
    in_parts(|| async {
        let deleted = sqlx::query!(
            "delete from mail_links where mail_id in (
                select mail_id from mail_links where expires_at <= $1 limit $2 for update skip locked)",
            ctx.now(),
            PART,
        );
        deleted.execute(&ctx.db).await
    })
    .await
}
