//! Argon2id in memory that is kept: 19 MiB asked for anew at each sign-in come page by page, and whoever draws a page meanwhile
//! waits for the same lock in the kernel.

use std::cell::RefCell;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::{Error, Result};

const MEMORY_KIB: u32 = 19_456;
const HASH_BYTES: usize = 32;

thread_local! {
    static MEMORY: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

/// Argon2id with 19 MiB, two passes, one lane (OWASP's minimum, and this crate's default).
pub fn hasher() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, 2, 1, Some(HASH_BYTES)).map_err(broken)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// A hash in PHC form, with a fresh salt.
pub fn hash(password: &str) -> Result<String> {
    let (hasher, salt) = (hasher()?, Salt::generate());
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(hasher.params()).map_err(broken)?,
        hash: Some(compute(&hasher, password, &salt, HASH_BYTES)?),
        salt: Some(salt),
    };
    Ok(hash.to_string())
}

/// Whether it is this password's, with whatever work it was made. Nobody has the password of one that was not made by Argon2.
pub fn is_of(hash: &PasswordHash, password: &str) -> Result<bool> {
    let (Some(salt), Some(expected)) = (&hash.salt, &hash.hash) else { return Ok(false) };
    let Ok(algorithm) = Algorithm::try_from(hash.algorithm.as_str()) else { return Ok(false) };
    let version = hash.version.map_or(Ok(Version::default()), Version::try_from).map_err(broken)?;
    let hasher = Argon2::new(algorithm, version, Params::try_from(hash).map_err(broken)?);
    // `Output` compares in constant time.
    Ok(compute(&hasher, password, salt, expected.len())? == *expected)
}

fn compute(hasher: &Argon2<'_>, password: &str, salt: &Salt, bytes: usize) -> Result<Output> {
    let blocks = hasher.params().block_count();
    let mut out = vec![0; bytes];
    let mut into =
        |memory: &mut [Block]| hasher.hash_password_into_with_memory(password.as_bytes(), salt, &mut out, memory);
    if blocks > hasher_blocks()? {
        // From elsewhere, made with more: nothing to keep.
        into(&mut vec![Block::default(); blocks])
    } else {
        MEMORY.with_borrow_mut(|memory| {
            if memory.len() < blocks {
                memory.resize(blocks, Block::default());
            }
            into(&mut memory[..blocks])
        })
    }
    .map_err(broken)?;
    Output::new(&out).map_err(broken)
}

fn hasher_blocks() -> Result<usize> {
    Ok(hasher()?.params().block_count())
}

fn broken(error: impl std::fmt::Display) -> Error {
    Error::broken(error.to_string())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use argon2::{PasswordHasher, PasswordVerifier};

    use super::*;

    #[test]
    fn the_library_agrees_on_every_hash() {
        for password in ["correct horse battery", "", "pässwörd 🚀"] {
            let ours = PasswordHash::new(&hash(password).unwrap()).unwrap();
            assert!(hasher().unwrap().verify_password(password.as_bytes(), &ours).is_ok());
            assert!(is_of(&ours, password).unwrap());
            assert!(!is_of(&ours, "another").unwrap());
            let theirs = hasher().unwrap().hash_password(password.as_bytes()).unwrap();
            assert!(is_of(&theirs, password).unwrap());
            assert_eq!((ours.params.to_string(), ours.version), (theirs.params.to_string(), theirs.version));
        }
    }

    #[test]
    fn hashes_made_with_other_work_are_checked_with_theirs() {
        for (algorithm, memory, passes, bytes) in [
            (Algorithm::Argon2i, 64, 1, 16),
            (Algorithm::Argon2id, MEMORY_KIB * 2, 1, 32),
            (Algorithm::Argon2d, 128, 3, 64),
        ] {
            let made = Argon2::new(algorithm, Version::V0x13, Params::new(memory, passes, 1, Some(bytes)).unwrap());
            let theirs = made.hash_password(b"correct horse battery").unwrap();
            let read = PasswordHash::new(&theirs.to_string()).unwrap();
            assert!(is_of(&read, "correct horse battery").unwrap(), "{read}");
            assert!(!is_of(&read, "correct horse batterie").unwrap());
        }
    }

    #[test]
    fn what_no_argon2_made_is_nobodys() {
        let other = PasswordHash::new("$pbkdf2-sha256$i=1000$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA").unwrap();
        assert!(!is_of(&other, "hash").unwrap());
    }
}
