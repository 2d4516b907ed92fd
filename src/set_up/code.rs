//! The code from the log. The newest is the one that counts, in every process.

use domain::FieldErrors;
use rand::Rng as _;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use time::Duration;
use uuid::Uuid;

use super::{is_open, take_turn};
use crate::audit::{self, About, By, Origin, What, Who};
use crate::limits::{self, SET_UP_BY_ADDRESS};
use crate::{Context, Error, Result, ids};

/// So long a code is good, and what was begun with it.
pub const LASTS: Duration = Duration::hours(24);

/// 120 bits, so that a plain hash protects them.
const LETTERS_EACH: usize = 24;
const GROUP: usize = 6;
/// 32 of them; none looks like another.
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// Known to the server's log alone.
#[derive(Debug)]
pub struct Code(SecretString);

impl Code {
    fn fresh() -> Self {
        let mut random = rand::rng();
        let letters: String =
            (0..LETTERS_EACH).map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())])).collect();
        Self(SecretString::from(letters))
    }

    /// In groups, for the operator's eyes.
    pub fn shown(&self) -> String {
        let letters = self.0.expose_secret();
        let groups: Vec<&str> =
            (0..LETTERS_EACH / GROUP).map(|group| &letters[group * GROUP..(group + 1) * GROUP]).collect();
        groups.join("-")
    }

    fn hash(letters: &str) -> [u8; 32] {
        Sha256::digest(letters).into()
    }
}

/// Makes a new code; every earlier one ends, with what was begun with it. None: there is an admin already.
pub async fn renew(ctx: &Context) -> Result<Option<Code>> {
    let code = Code::fresh();
    let mut tx = ctx.db.begin().await?;
    match take_turn(&mut tx).await {
        Err(Error::NotFound) => return Ok(None),
        turn => turn?,
    }
    sqlx::query!(
        "insert into set_up_code (code_hash, generation, made_at, expires_at) values ($1, $2, $3, $4)
        on conflict (only_one) do update set code_hash = excluded.code_hash, generation = excluded.generation,
            made_at = excluded.made_at, expires_at = excluded.expires_at",
        &Code::hash(code.0.expose_secret())[..],
        ids::fresh(),
        ctx.now(),
        ctx.now() + LASTS,
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(Some(code))
}

/// Lets somebody in who typed the code: the generation that their session is to hold.
///
/// Errors: [`Error::Invalid`] for another code; [`Error::NotFound`] once there is an admin; [`crate::Refusal::TooManyTries`].
pub async fn enter(ctx: &Context, typed: &str, origin: &Origin, address: &str) -> Result<Uuid> {
    if !is_open(&ctx.db).await? {
        return Err(Error::NotFound);
    }
    limits::take(ctx, &SET_UP_BY_ADDRESS, address).await?;
    let letters: String = typed.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    let kept = sqlx::query!("select code_hash, generation from set_up_code where expires_at > $1", ctx.now())
        .fetch_optional(&ctx.db)
        .await?;
    let found = kept.filter(|kept| bool::from(Code::hash(&letters).ct_eq(&kept.code_hash)));
    let what = if found.is_some() { What::SetUpEntered } else { What::SetUpRefused };
    let by = By { who: Who::Nobody, origin };
    let mut db = ctx.db.acquire().await?;
    audit::record(&mut db, &by.did(what, About::Thing { kind: "set_up", id: "code" })).await?;
    let wrong = "This isn’t the code, or it is too old. The newest stands in the server’s log; “atlas set-up code” makes another.";
    found.map(|found| found.generation).ok_or_else(|| Error::Invalid(FieldErrors::one("code", wrong)))
}
