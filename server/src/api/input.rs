//! What was sent, read strictly: a field that is not known, or of another type, is refused by its name.

use std::str::FromStr;

use axum::extract::Query;
use domain::FieldErrors;
use http::{HeaderMap, Uri};
use serde::de::{Deserialize, DeserializeOwned, Deserializer};

use super::credentials;
use super::problem::Problem;

/// How many of a list are sent, unless somebody says.
const PAGE: usize = 50;
const PAGE_MAX: usize = 100;

/// 415 for another type than JSON, 400 for what is no JSON, 422 for JSON that says something else.
pub fn body<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Problem> {
    credentials::require_json(headers)?;
    let no_json = Problem::BadRequest("The body is not JSON.");
    // serde would take a list for an object, its items for the fields in their order.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(FieldErrors::one("body", "Send a JSON object.").into());
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = match serde_path_to_error::deserialize(&mut json) {
        Ok(read) => read,
        Err(error) if error.inner().is_data() => {
            let message = error.inner().to_string();
            return Err(unreadable(&error.path().to_string(), &message));
        }
        Err(_) => return Err(no_json),
    };
    json.end().map_err(|_| no_json)?;
    Ok(read)
}

/// What an address asks for.
pub fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    match Query::try_from_uri(uri) {
        Ok(Query(read)) => Ok(read),
        Err(error) => Err(unreadable("", &error.body_text())),
    }
}

/// serde names the field in its message where the path to it is not known yet.
fn unreadable(path: &str, message: &str) -> Problem {
    let named = message.split_once("field `").and_then(|(_, rest)| rest.split_once('`'));
    let named = named.map_or("body", |(field, _)| field);
    let field = if ["", ".", "?"].contains(&path) { named } else { path };
    // Names of fields are short; what was sent as one need not be.
    let field: String = field.chars().filter(|letter| !letter.is_control()).take(80).collect();
    FieldErrors::one(&field, message.chars().take(300).collect::<String>()).into()
}

/// An id in the path. One that is none names nothing, as one that nobody has.
pub fn id<T: FromStr>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| FieldErrors::one("id", "This is no id: send a UUID.").into())
}

/// A parameter of the address, if it was sent; what is wrong with it goes to `wrong`.
pub fn parameter<T: FromStr>(wrong: &mut FieldErrors, field: &str, text: Option<&str>, rule: &str) -> Option<T> {
    let read = text?.parse().ok();
    if read.is_none() {
        wrong.add(field, rule);
    }
    read
}

/// How many of a list are wanted.
pub fn limit(wrong: &mut FieldErrors, text: Option<&str>) -> usize {
    let rule = "Send a whole number from 1 to 100.";
    match parameter(wrong, "limit", text, rule) {
        Some(limit) if !(1..=PAGE_MAX).contains(&limit) => {
            wrong.add("limit", rule);
            PAGE
        }
        limit => limit.unwrap_or(PAGE),
    }
}

/// A field that may be left out, which is another thing than `null`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Sent<T> {
    #[default]
    Not,
    Null,
    Value(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Sent<T> {
    fn deserialize<D: Deserializer<'de>>(field: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(field)?.map_or(Self::Null, Self::Value))
    }
}

impl<T: Clone> Sent<T> {
    pub fn or(&self, stands: Option<T>) -> Option<T> {
        match self {
            Self::Not => stands,
            Self::Null => None,
            Self::Value(value) => Some(value.clone()),
        }
    }
}

pub fn unless_wrong(wrong: FieldErrors) -> Result<(), Problem> {
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
}
