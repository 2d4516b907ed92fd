//! What a deed changed, field by field, with nothing in it that must stay secret.

use serde_json::{Map, Value, json};

/// Fields with one of these words in their name are never written down, whoever forgets it.
const SECRET: [&str; 8] = ["password", "secret", "token", "hash", "cookie", "recovery", "email", "address"];
const HIDDEN: &str = "(not written down)";

/// The fields that changed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Change(Map<String, Value>);

impl Change {
    pub fn none() -> Self {
        Self::default()
    }

    /// A field that was one thing and is another now.
    #[must_use]
    pub fn from_to(mut self, field: &str, from: impl Into<Value>, to: impl Into<Value>) -> Self {
        let change = if is_secret(field) { json!(HIDDEN) } else { json!({ "from": from.into(), "to": to.into() }) };
        self.0.insert(field.to_owned(), change);
        self
    }

    /// Something worth knowing that has no before: how many, which way.
    #[must_use]
    pub fn noted(mut self, field: &str, value: impl Into<Value>) -> Self {
        let value = if is_secret(field) { json!(HIDDEN) } else { value.into() };
        self.0.insert(field.to_owned(), value);
        self
    }

    pub(super) fn as_json(&self) -> Value {
        Value::Object(self.0.clone())
    }
}

fn is_secret(field: &str) -> bool {
    SECRET.iter().any(|word| field.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_written_down_whoever_hands_them_in() {
        let change = Change::none()
            .from_to("role", "buyer", "admin")
            .from_to("password", "old one", "new one")
            .noted("session_token", "abc")
            .noted("ended", 3);
        assert_eq!(
            change.as_json(),
            json!({
                "role": { "from": "buyer", "to": "admin" },
                "password": HIDDEN,
                "session_token": HIDDEN,
                "ended": 3,
            })
        );
    }
}
