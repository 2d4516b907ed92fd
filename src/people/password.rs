//! Passwords: Argon2id, hashed off the async threads and a few at a time, so that a flood of sign-ins starves nobody.

mod workers;

use std::collections::HashSet;
use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::FieldErrors;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{Error, Refusal, Result};

/// Characters, not bytes.
pub const LENGTH_MIN: usize = 8;
pub const LENGTH_MAX: usize = 128;

const HASHES_AT_ONCE_MAX: usize = 8;
/// At most this many hashes are computed at once: half of the processors stay for everything else. Each takes about 19 MiB and
/// 20 ms of a core.
static HASHES_AT_ONCE: LazyLock<usize> = LazyLock::new(|| {
    std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).clamp(1, HASHES_AT_ONCE_MAX))
});
/// At most this many wait in each queue; whoever comes later is asked to try again.
const HASHES_WAITING: usize = 20;
static PLACES: LazyLock<usize> = LazyLock::new(|| *HASHES_AT_ONCE + HASHES_WAITING);

static AT_WORK: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(*HASHES_AT_ONCE));
static STRANGERS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(*PLACES));
static KNOWN: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(*PLACES));

/// The 10,000 most used ones that are long enough, in lower case, out of those that leaked: from the list of zxcvbn 4.4.2 (MIT,
/// beside it), which took it from Mark Burnett's ten million passwords.
static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// A password that may be set: long enough, not absurdly long, and none of those that are tried first.
#[derive(Clone)]
pub struct NewPassword(SecretString);

impl NewPassword {
    /// Errors: [`Error::Invalid`] on `field`.
    pub fn parse(field: &str, text: &str) -> Result<Self, FieldErrors> {
        match text.chars().count() {
            0 => Err(FieldErrors::one(field, "Choose a password.")),
            length if length < LENGTH_MIN => {
                Err(FieldErrors::one(field, format!("Use at least {LENGTH_MIN} characters; 15 or more are better.")))
            }
            length if length > LENGTH_MAX => {
                Err(FieldErrors::one(field, format!("Use at most {LENGTH_MAX} characters.")))
            }
            _ if COMMON.contains(text.trim().to_lowercase().as_str()) => Err(FieldErrors::one(
                field,
                "This is one of the most used passwords, which are guessed first. Choose another; a few words in a row are \
                easy to remember.",
            )),
            _ => Ok(Self(SecretString::from(text))),
        }
    }
}

/// A place among those whose passwords are hashed next. Taken before anything else is done for somebody, so that a flood costs
/// next to nothing once the queue is full.
#[must_use]
pub struct Turn(#[expect(dead_code, reason = "held, and given back when it is dropped")] SemaphorePermit<'static>);

impl Turn {
    /// Errors: [`Refusal::TooBusy`].
    pub fn of_a_stranger() -> Result<Self> {
        Self::among(&STRANGERS)
    }

    /// Of somebody who is signed in, has a link of ours, or comes from a device that they used before: theirs is a queue that
    /// strangers can't fill.
    ///
    /// Errors: [`Refusal::TooBusy`].
    pub fn of_somebody_known() -> Result<Self> {
        Self::among(&KNOWN)
    }

    fn among(queue: &'static Semaphore) -> Result<Self> {
        Ok(Self(queue.try_acquire().map_err(|_| Refusal::TooBusy)?))
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let _at_work = AT_WORK.acquire().await.map_err(Error::broken)?;
        workers::run(work).await
    }
}

/// Whether more have a turn than can be at work.
fn is_crowded() -> bool {
    let taken = |queue: &Semaphore| *PLACES - queue.available_permits();
    taken(&STRANGERS) + taken(&KNOWN) > *HASHES_AT_ONCE
}

/// Argon2id with 19 MiB, two passes, one lane (OWASP's minimum, and this crate's default).
fn hasher() -> Result<Argon2<'static>> {
    let params = Params::new(19_456, 2, 1, None).map_err(|error| Error::broken(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The password's hash in PHC form, with a fresh salt.
pub async fn hash(turn: &Turn, password: NewPassword) -> Result<String> {
    hash_as_typed(turn, password.0).await
}

/// The same of a password that was set before, whatever is asked of new ones today.
pub(super) async fn hash_as_typed(turn: &Turn, password: SecretString) -> Result<String> {
    turn.run(move || {
        let hash = hasher()?.hash_password(password.expose_secret().as_bytes());
        Ok(hash.map_err(|error| Error::broken(error.to_string()))?.to_string())
    })
    .await
}

/// Whether the hash was made with less, or other, work than today's are.
pub(super) fn is_outdated(hash: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(hash) else { return true };
    let ours = hasher().is_ok_and(|hasher| {
        Params::try_from(&parsed).is_ok_and(|params| {
            (params.m_cost(), params.t_cost(), params.p_cost())
                == (hasher.params().m_cost(), hasher.params().t_cost(), hasher.params().p_cost())
        })
    });
    !ours || parsed.algorithm.as_str() != Algorithm::Argon2id.ident().as_str()
}

/// Whether the password is the one behind `hash`. Without a hash it computes one all the same and says no, so that an
/// unknown email takes as long as a wrong password.
pub async fn verify(turn: &Turn, hash: Option<String>, password: SecretString) -> Result<bool> {
    turn.run(move || {
        // Empty: they sign in elsewhere, or never chose one.
        let Some(hash) = hash.filter(|hash| !hash.is_empty()) else {
            let pretended = hasher()?.hash_password(password.expose_secret().as_bytes());
            pretended.map_err(|error| Error::broken(error.to_string()))?;
            return Ok(false);
        };
        let parsed = PasswordHash::new(&hash).map_err(|error| Error::broken(error.to_string()))?;
        Ok(hasher()?.verify_password(password.expose_secret().as_bytes(), &parsed).is_ok())
    })
    .await
}
