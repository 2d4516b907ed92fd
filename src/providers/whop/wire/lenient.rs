//! Readers for fields that we can do without: what has an unexpected form counts as absent, so that a change in
//! something we only show never stops a payment.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Any field that may be absent, null or unreadable.
pub fn optional<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    let raw = Option::<Box<RawValue>>::deserialize(deserializer)?;
    Ok(raw.and_then(|raw| serde_json::from_str(raw.get()).ok()))
}

/// ISO 8601 with an offset; older shapes may have something else.
pub fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<OffsetDateTime>, D::Error> {
    let text: Option<String> = optional(deserializer)?;
    Ok(text.and_then(|text| OffsetDateTime::parse(&text, &Rfc3339).ok()))
}

/// A text that must not be printed.
pub fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    let text: Option<String> = optional(deserializer)?;
    Ok(text.map(SecretString::from))
}

/// Free key and value pairs that travel with an object. Only texts are read: we send nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata(BTreeMap<String, String>);

impl Metadata {
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields: Option<BTreeMap<String, Box<RawValue>>> = optional(deserializer)?;
        let texts = fields
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(key, value)| Some((key, serde_json::from_str(value.get()).ok()?)));
        Ok(Self(texts.collect()))
    }
}
