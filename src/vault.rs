//! What has to be read again but must not lie about in clear: tokens, shared secrets. Each is sealed with
//! XChaCha20-Poly1305 for one place, so that a copy in another row, column or table opens nowhere.

pub mod rotate;

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rand::Rng as _;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use uuid::Uuid;

/// The first byte of what is sealed this way; another way gets another number.
const FORM: u8 = 1;
const KEY_BYTES: usize = 32;
const KEY_ID_BYTES_MAX: usize = 16;
const NONCE_BYTES: usize = 24;
/// A key with fewer different bytes was typed, not drawn: of random ones fewer than one in 10^20 has so few.
const DIFFERENT_BYTES_MIN: usize = 12;

/// Where something sealed belongs. It opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    pub table: &'a str,
    pub column: &'a str,
    /// The row's primary key.
    pub row: Uuid,
}

/// Why something does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Sealed {
    #[error("it was sealed with a key that is not here")]
    UnknownKey,
    #[error("it was sealed for another place, or changed since")]
    Foreign,
    #[error("this was never sealed here")]
    Unreadable,
}

/// What is wrong with keys. Never holds any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKeys {
    #[error("must be id:key, or several with commas between them")]
    Form,
    #[error("has a key id that is not 1 to 16 lower-case letters, digits or hyphens")]
    Id,
    #[error("has the same key id twice")]
    Twice,
    #[error("has a key that is not 32 bytes in base64")]
    Key,
    #[error("has a key that is not random")]
    Weak,
}

/// Cheap to clone. Its first key seals; all of them open.
#[derive(Clone)]
pub struct Vault(Arc<[Key]>);

struct Key {
    id: String,
    cipher: XChaCha20Poly1305,
}

impl Vault {
    /// `id:base64 of 32 bytes`, several with commas between them.
    pub fn parse(keys: &SecretString) -> Result<Self, BadKeys> {
        let keys = keys.expose_secret().split(',').map(Key::parse).collect::<Result<Vec<_>, _>>()?;
        let twice = keys.iter().enumerate().any(|(place, key)| keys[..place].iter().any(|before| before.id == key.id));
        if twice { Err(BadKeys::Twice) } else { Ok(Self(keys.into())) }
    }

    /// For what works without keys: it opens nothing and seals to nothing, which no column takes.
    pub fn without_keys() -> Self {
        Self(Arc::new([]))
    }

    pub fn has_keys(&self) -> bool {
        !self.0.is_empty()
    }

    /// A fresh key, as [`Self::parse`] reads it.
    pub fn fresh_key(id: &str) -> SecretString {
        let key: [u8; KEY_BYTES] = rand::rng().random();
        SecretString::from(format!("{id}:{}", STANDARD.encode(key)))
    }

    /// Key id and nonce stand in front of what comes back: 43 to 58 bytes more than `plain`.
    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> Vec<u8> {
        let Some(key) = self.0.first() else { return Vec::new() };
        let mut sealed = self.beginning();
        let aad = associated(&sealed, place);
        let nonce: [u8; NONCE_BYTES] = rand::rng().random();
        // It fails for 256 GiB and more; that comes to nothing as well.
        let Ok(text) = key.cipher.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad }) else {
            return Vec::new();
        };
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&text);
        sealed
    }

    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<SecretSlice<u8>, Sealed> {
        let (&[form, id_bytes], rest) = sealed.split_first_chunk::<2>().ok_or(Sealed::Unreadable)?;
        let (id, rest) = rest.split_at_checked(id_bytes.into()).ok_or(Sealed::Unreadable)?;
        let (&nonce, text) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(Sealed::Unreadable)?;
        if form != FORM {
            return Err(Sealed::Unreadable);
        }
        let key = self.0.iter().find(|key| key.id.as_bytes() == id).ok_or(Sealed::UnknownKey)?;
        let aad = associated(&sealed[..2 + id.len()], place);
        let plain = key.cipher.decrypt(&XNonce::from(nonce), Payload { msg: text, aad: &aad });
        plain.map(SecretSlice::from).map_err(|_| Sealed::Foreign)
    }

    /// How everything begins that the present key sealed: by this rotation finds the rest.
    fn beginning(&self) -> Vec<u8> {
        let id = self.0.first().map_or("", |key| key.id.as_str());
        // At most 16, or it would not have been taken.
        let id_bytes = u8::try_from(id.len()).unwrap_or(u8::MAX);
        [&[FORM, id_bytes], id.as_bytes()].concat()
    }
}

/// Ids only.
impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}

impl Key {
    fn parse(text: &str) -> Result<Self, BadKeys> {
        let (id, key) = text.trim().split_once(':').ok_or(BadKeys::Form)?;
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(1..=KEY_ID_BYTES_MAX).contains(&id.len()) || !id.bytes().all(plain) {
            return Err(BadKeys::Id);
        }
        let key = SecretSlice::from(STANDARD.decode(key).map_err(|_| BadKeys::Key)?);
        let key: &[u8; KEY_BYTES] = key.expose_secret().try_into().map_err(|_| BadKeys::Key)?;
        let different = (0..=u8::MAX).filter(|byte| key.contains(byte)).count();
        if different < DIFFERENT_BYTES_MIN {
            return Err(BadKeys::Weak);
        }
        Ok(Self { id: id.to_owned(), cipher: XChaCha20Poly1305::new(&(*key).into()) })
    }
}

/// What has to be the same for it to open: the beginning, and the place. No name holds a zero byte.
fn associated(beginning: &[u8], place: Place<'_>) -> Vec<u8> {
    let zero = &[0][..];
    [beginning, zero, place.table.as_bytes(), zero, place.column.as_bytes(), zero, place.row.as_bytes()].concat()
}

#[cfg(test)]
mod tests;
