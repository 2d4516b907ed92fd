//! The HTTP client for Whop's REST API: one door out, with a pinned version, timeouts, and tries that are safe.

mod accounts;
mod checkouts;
mod disputes;
mod memberships;
mod pages;
mod payments;
mod plans;
mod products;
mod refunds;
mod users;
mod webhooks;

pub use pages::Pages;
pub use payments::PaymentFilter;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::error::WhopError;
use super::retry::{Limits, Repeat, wait_before_next};
use super::{API_VERSION, answer, text};

const VERSION_HEADER: HeaderName = HeaderName::from_static("api-version-date");
const KEY_HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// What the client needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The REST base, with its version: `https://api.whop.com/api/v1`.
    pub api_url: String,
    pub api_key: SecretString,
    /// The account that sells, `biz_…`.
    pub company_id: String,
    pub limits: Limits,
}

/// Cheap to clone; copies share their connections.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    base: Url,
    api_key: SecretString,
    company_id: String,
    limits: Limits,
    /// Operations whose deprecation was logged already.
    deprecated: Mutex<HashSet<&'static str>>,
}

/// One call to be made, perhaps several times.
#[derive(Debug, Clone)]
struct Call<'a> {
    /// For the log: `payments.list`.
    operation: &'static str,
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
    key: Option<&'a str>,
}

impl<'a> Call<'a> {
    fn new(operation: &'static str, method: Method, path: impl Into<String>) -> Self {
        Self { operation, method, path: path.into(), query: Vec::new(), body: None, key: None }
    }

    fn get(operation: &'static str, path: impl Into<String>) -> Self {
        Self::new(operation, Method::GET, path)
    }

    /// A POST that Whop carries out once for a key (at most 255 bytes), for 24 hours.
    fn post(operation: &'static str, path: impl Into<String>, key: &'a str) -> Self {
        Self { key: Some(key), ..Self::new(operation, Method::POST, path) }
    }

    fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    fn maybe(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        if let Some(value) = value { self.query(name, value) } else { self }
    }

    fn json(mut self, body: &impl Serialize) -> Result<Self, WhopError> {
        self.body = Some(serde_json::to_vec(body).map_err(|_| WhopError::Unsendable("the request is no JSON"))?);
        Ok(self)
    }

    fn repeat(&self) -> Repeat {
        match (&self.method, self.key) {
            (&Method::GET, _) => Repeat::Reads,
            (&Method::POST, Some(_)) => Repeat::Keyed,
            _ => Repeat::Risky,
        }
    }
}

impl Client {
    pub fn new(settings: Settings) -> Result<Self, WhopError> {
        let base = Url::parse(settings.api_url.trim_end_matches('/'))
            .map_err(|_| WhopError::Unsendable("the API's address is no URL"))?;
        if !matches!(base.scheme(), "http" | "https") || base.query().is_some() || !base.username().is_empty() {
            return Err(WhopError::Unsendable("the API's address must be a plain https URL"));
        }
        if !text::is_id(&settings.company_id) {
            return Err(WhopError::Unsendable("the company id must look like biz_…"));
        }
        if settings.api_key.expose_secret().trim().is_empty() {
            return Err(WhopError::Unsendable("the API key is empty"));
        }
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", settings.api_key.expose_secret()))
            .map_err(|_| WhopError::Unsendable("the API key has characters that no header can carry"))?;
        authorization.set_sensitive(true);
        let headers = HeaderMap::from_iter([
            (AUTHORIZATION, authorization),
            (VERSION_HEADER, HeaderValue::from_static(API_VERSION)),
        ]);
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(concat!("atlas-credits/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(settings.limits.connect)
            .timeout(settings.limits.attempt)
            .redirect(reqwest::redirect::Policy::none())
            .https_only(base.scheme() == "https")
            .build()
            .map_err(|_| WhopError::Unsendable("the HTTP client can't be made"))?;
        let Settings { api_key, company_id, limits, .. } = settings;
        Ok(Self(Arc::new(Inner { http, base, api_key, company_id, limits, deprecated: Mutex::default() })))
    }

    /// The account that sells, `biz_…`.
    pub fn company_id(&self) -> &str {
        &self.0.company_id
    }

    async fn ask<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, WhopError> {
        let body = self.send(&call).await?;
        // Serde's own words may quote the answer, which names people.
        serde_json::from_slice(&body).map_err(|error| {
            let (what, line, column) = (error.classify(), error.line(), error.column());
            WhopError::Unreadable(format!("{}: {what:?} at line {line}, column {column}", call.operation))
        })
    }

    /// For calls whose answer says nothing more.
    async fn tell(&self, call: Call<'_>) -> Result<(), WhopError> {
        self.send(&call).await.map(drop)
    }

    async fn send(&self, call: &Call<'_>) -> Result<Vec<u8>, WhopError> {
        let limits = &self.0.limits;
        let deadline = Instant::now() + limits.call;
        let mut tries = 0;
        loop {
            tries += 1;
            let left = deadline.saturating_duration_since(Instant::now());
            let failure = match self.attempt(call, left.min(limits.attempt)).await {
                Ok(body) => return Ok(body),
                Err(failure) => failure,
            };
            let left = deadline.saturating_duration_since(Instant::now());
            let Some(wait) = wait_before_next(limits, call.repeat(), &failure, tries, left) else {
                return Err(failure);
            };
            tracing::debug!(operation = call.operation, tries, wait_ms = wait.as_millis(), %failure, "asking Whop again");
            tokio::time::sleep(wait).await;
        }
    }

    async fn attempt(&self, call: &Call<'_>, timeout: Duration) -> Result<Vec<u8>, WhopError> {
        let mut url = self.0.base.clone();
        url.set_path(&format!("{}/{}", self.0.base.path().trim_end_matches('/'), call.path));
        let mut request = self.0.http.request(call.method.clone(), url).query(&call.query).timeout(timeout);
        if let Some(key) = call.key {
            let key = HeaderValue::try_from(key).map_err(|_| WhopError::Unsendable("not an idempotency key"))?;
            request = request.header(KEY_HEADER, key);
        }
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        let response = request.send().await.map_err(answer::unreachable)?;
        let status = response.status();
        self.note_deprecation(call.operation, response.headers());
        let retry_after = answer::retry_after(response.headers());
        let body = answer::read(response, self.0.limits.answer_bytes_max).await?;
        if status.is_success() {
            Ok(body)
        } else {
            Err(answer::refusal(status, retry_after, &body, self.0.api_key.expose_secret()))
        }
    }

    /// Whop announces the end of an operation in headers (Whop API, versioning). Said once for each.
    fn note_deprecation(&self, operation: &'static str, headers: &HeaderMap) {
        let value = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
        let (deprecation, sunset) = (value("deprecation"), value("sunset"));
        if (deprecation, sunset) == ("", "") {
            return;
        }
        let is_new = self.0.deprecated.lock().unwrap_or_else(PoisonError::into_inner).insert(operation);
        if is_new {
            tracing::warn!(operation, deprecation, sunset, "Whop is going to remove an operation that we use");
        }
    }
}

/// An id as part of a path. What is no id names nothing at Whop, and must not become another path.
fn segment(id: &str) -> Result<&str, WhopError> {
    if text::is_id(id) { Ok(id) } else { Err(WhopError::Unsendable("not an id")) }
}
