//! Signing in with an account elsewhere: the way out to the authorisation server, and back. Whoever comes back is known by
//! issuer and subject, and by nothing else.

pub mod begin;
pub mod callback;
pub mod finish;

use crate::{Context, Error, Result};

/// What somebody is sent out for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To come back signed in, perhaps with a new account.
    SignIn,
    /// To be able to sign in there from then on.
    Link,
    /// To show again that it is them.
    Confirm,
}

impl Purpose {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Link => "link",
            Self::Confirm => "confirm",
        }
    }

    fn parse(word: &str) -> Result<Self> {
        match word {
            "sign_in" => Ok(Self::SignIn),
            "link" => Ok(Self::Link),
            "confirm" => Ok(Self::Confirm),
            other => Err(Error::broken(format!("unknown purpose: {other}"))),
        }
    }
}

/// Forgets attempts that were never finished.
pub async fn sweep(ctx: &Context) -> Result<()> {
    crate::sweep::in_parts(|| async {
        let deleted = sqlx::query!(
            "delete from oauth_attempts where handle_hash in (
                select handle_hash from oauth_attempts where expires_at <= $1 limit $2)",
            ctx.now(),
            crate::sweep::PART,
        );
        deleted.execute(&ctx.db).await
    })
    .await
}
