//! Query parameters. Lists may be given as `name=a&name=b` or with brackets, `name[]=a&name[]=b`.

use axum::extract::{FromRequestParts, Query as AxumQuery};
use axum::http::request::Parts;

use super::error::ApiError;
use crate::clock::Moment;
use crate::options::Settings;

/// The parameters of a request, in order.
pub struct Query(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let pairs = AxumQuery::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let AxumQuery(pairs) = pairs.map_err(|error| ApiError::bad(error.body_text()))?;
        Ok(Self(pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect()))
    }
}

impl Query {
    /// The last value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key.trim_end_matches("[]") == name).map(|(_, value)| value.as_str())
    }

    /// Whether `value` passes the filter `name`, which may have several values and by default has none.
    pub fn allows(&self, name: &str, value: &str) -> bool {
        let mut wanted = self.0.iter().filter(|(key, _)| key.trim_end_matches("[]") == name).peekable();
        wanted.peek().is_none() || wanted.any(|(_, wanted)| wanted == value)
    }

    /// The same for a value that may be missing, which then passes only without a filter.
    pub fn allows_some(&self, name: &str, value: Option<&String>) -> bool {
        value.map_or_else(|| self.get(name).is_none(), |value| self.allows(name, value))
    }

    /// A whole number within bounds.
    pub fn number(&self, name: &str) -> Result<Option<usize>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| ApiError::bad(format!("{name} must be a whole number")))
    }

    /// A moment in ISO 8601.
    pub fn moment(&self, name: &str) -> Result<Option<Moment>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        // A plus sign that nobody encoded has become a space.
        let moment = Moment::parse(&text.replace(' ', "+"));
        moment.map(Some).ok_or_else(|| ApiError::bad(format!("{name} must be an ISO 8601 time")))
    }

    /// The account that the request names must be the key's own. Older versions call it a company.
    pub fn check_account(&self, settings: &Settings, required: bool) -> Result<(), ApiError> {
        match self.get("account_id").or_else(|| self.get("company_id")) {
            None if required => Err(ApiError::bad("account_id is required")),
            Some(id) => check_account(settings, id),
            None => Ok(()),
        }
    }
}

/// Refuses another account than the key's own.
pub fn check_account(settings: &Settings, account_id: &str) -> Result<(), ApiError> {
    if account_id == settings.company_id {
        return Ok(());
    }
    Err(ApiError::forbidden(format!("This key has no access to {account_id}")))
}
