//! Whop as an authorisation server: people sign in here with their account there (Whop documentation, OAuth). One try a
//! call: a code and a refresh token work once, so a second try after silence could only do harm.

mod id_token;
pub mod pkce;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{RequestBuilder, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;

use super::error::WhopError;
use super::wire::lenient;
use super::{answer, text};

pub use id_token::{BadIdToken, Subject};

/// We want to know who somebody is, and nothing else of them.
const SCOPE: &str = "openid profile email";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A callback makes three calls, and all of them have to fit into one request.
const CALL_TIMEOUT: Duration = Duration::from_secs(4);
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Whop's access tokens last an hour. What claims to last longer is looked after as if it didn't.
const LIFE_SECONDS_MAX: u32 = 24 * 3600;

/// What the client needs to know.
#[derive(Debug, Clone)]
pub struct OauthSettings {
    /// `https://api.whop.com/oauth`. The issuer is its origin.
    pub oauth_url: String,
    /// `app_…`
    pub client_id: String,
    pub client_secret: Option<SecretString>,
    /// Where people come back to, exactly as it is registered.
    pub redirect_uri: String,
}

/// Cheap to clone; copies share their connections and the keys they learned.
#[derive(Clone)]
pub struct Oauth(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    settings: OauthSettings,
    issuer: String,
    keys: id_token::Keys,
}

/// What a grant gives. Never shown, and stored sealed.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub access: SecretString,
    pub refresh: Option<SecretString>,
    /// How long the access token is good.
    pub lives: time::Duration,
    pub id_token: Option<SecretString>,
}

/// Who somebody is there, for us to show; only the subject names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserInfo {
    pub subject: String,
    pub username: Option<String>,
    pub name: Option<String>,
    /// Only an address that was verified there.
    pub verified_email: Option<String>,
}

/// Why a call gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OauthError {
    /// The code or the token is used, too old, taken back or not ours. Final.
    #[error("Whop takes the code or the token no more")]
    Gone,
    /// Whop does not accept us, or what we ask. A person has to look.
    #[error("Whop refuses this client: {0}")]
    Refused(String),
    /// Nobody knows what became of it.
    #[error(transparent)]
    Away(WhopError),
}

impl Oauth {
    pub fn new(settings: OauthSettings) -> Result<Self, WhopError> {
        let bad = || WhopError::Unsendable("WHOP_OAUTH_URL must be a plain https address");
        let base = Url::parse(&settings.oauth_url).map_err(|_| bad())?;
        let plain = base.query().is_none() && base.fragment().is_none() && base.username().is_empty();
        if !plain || !matches!(base.scheme(), "http" | "https") || !text::is_id(&settings.client_id) {
            return Err(if plain { WhopError::Unsendable("WHOP_CLIENT_ID must look like app_…") } else { bad() });
        }
        let http = reqwest::Client::builder()
            .user_agent(concat!("atlas-credits/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .https_only(base.scheme() == "https")
            .build()
            .map_err(|_| WhopError::Unsendable("the HTTP client can't be made"))?;
        let issuer = base.origin().ascii_serialization();
        let oauth_url = settings.oauth_url.trim_end_matches('/').to_owned();
        let keys = id_token::Keys::at(format!("{issuer}/.well-known/jwks.json"));
        Ok(Self(Arc::new(Inner { http, issuer, keys, settings: OauthSettings { oauth_url, ..settings } })))
    }

    /// Who vouches for people: compared whole, character by character.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Where a person is sent. All of it may be seen by whoever sees addresses.
    pub fn authorize_url(&self, state: &str, nonce: &str, challenge: &str) -> Result<String, WhopError> {
        let settings = &self.0.settings;
        let mut url = Url::parse(&self.endpoint("authorize")).map_err(|_| WhopError::Unsendable("no address"))?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &settings.client_id)
            .append_pair("redirect_uri", &settings.redirect_uri)
            .append_pair("scope", SCOPE)
            .append_pair("state", state)
            .append_pair("nonce", nonce)
            .append_pair("code_challenge", challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(url.into())
    }

    pub async fn exchange(&self, code: &SecretString, verifier: &SecretString) -> Result<Tokens, OauthError> {
        self.tokens(&[
            ("grant_type", "authorization_code"),
            ("code", code.expose_secret()),
            ("redirect_uri", &self.0.settings.redirect_uri),
            ("code_verifier", verifier.expose_secret()),
        ])
        .await
    }

    /// The old refresh token is dead from here on, unless this says [`OauthError::Away`].
    pub async fn refresh(&self, token: &SecretString) -> Result<Tokens, OauthError> {
        self.tokens(&[("grant_type", "refresh_token"), ("refresh_token", token.expose_secret())]).await
    }

    /// Ends the grant behind a refresh token.
    pub async fn revoke(&self, token: &SecretString) -> Result<(), OauthError> {
        let body = serde_json::json!({ "token": token.expose_secret(), "client_id": self.0.settings.client_id });
        self.send(self.0.http.post(self.endpoint("revoke")).json(&body)).await.map(drop)
    }

    pub async fn user_info(&self, access: &SecretString) -> Result<UserInfo, OauthError> {
        let asked = self.0.http.get(self.endpoint("userinfo")).bearer_auth(access.expose_secret());
        let info: Info = self.ask(asked).await?;
        let verified = info.email_verified == Some(true);
        Ok(UserInfo {
            subject: info.sub,
            username: info.preferred_username.as_deref().and_then(text::clean),
            name: info.name.as_deref().and_then(text::clean),
            verified_email: info.email.filter(|_| verified),
        })
    }

    /// Whom an id_token names, if it is Whop's, for us, not too old, and the answer to our question.
    pub async fn check_id_token(
        &self,
        token: &SecretString,
        nonce: &str,
        now: OffsetDateTime,
    ) -> Result<Result<Subject, BadIdToken>, OauthError> {
        let Some(kid) = id_token::key_id(token) else { return Ok(Err(BadIdToken::Form)) };
        let Some(key) = self.0.keys.find(&kid, now, || self.ask(self.0.http.get(self.0.keys.url()))).await? else {
            return Ok(Err(BadIdToken::Key));
        };
        let wanted = id_token::Wanted { issuer: &self.0.issuer, audience: &self.0.settings.client_id, nonce, now };
        Ok(id_token::check(token, &key, &wanted))
    }

    async fn tokens(&self, asked: &[(&str, &str)]) -> Result<Tokens, OauthError> {
        let settings = &self.0.settings;
        let mut body: serde_json::Map<String, serde_json::Value> =
            asked.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        body.insert("client_id".to_owned(), settings.client_id.as_str().into());
        if let Some(secret) = &settings.client_secret {
            body.insert("client_secret".to_owned(), secret.expose_secret().into());
        }
        let answer: TokenAnswer = self.ask(self.0.http.post(self.endpoint("token")).json(&body)).await?;
        if !answer.token_type.eq_ignore_ascii_case("bearer") {
            return Err(OauthError::Refused("another kind of token than a bearer's".to_owned()));
        }
        Ok(Tokens {
            access: SecretString::from(answer.access_token),
            refresh: answer.refresh_token,
            lives: time::Duration::seconds(answer.expires_in.min(LIFE_SECONDS_MAX).into()),
            id_token: answer.id_token,
        })
    }

    fn endpoint(&self, name: &str) -> String {
        format!("{}/{name}", self.0.settings.oauth_url)
    }

    async fn ask<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, OauthError> {
        let body = self.send(request).await?;
        // Serde's own words may quote the answer, which holds tokens.
        serde_json::from_slice(&body)
            .map_err(|error| OauthError::Away(WhopError::Unreadable(format!("{:?}", error.classify()))))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Vec<u8>, OauthError> {
        let response = request.send().await.map_err(|error| OauthError::Away(answer::unreachable(error)))?;
        let status = response.status();
        let body = answer::read(response, ANSWER_BYTES_MAX).await.map_err(OauthError::Away)?;
        if status.is_success() {
            return Ok(body);
        }
        let said = serde_json::from_slice(&body).ok().map(|body: ErrorAnswer| body.error);
        let said = said.as_deref().and_then(text::clean).unwrap_or_default();
        Err(match (status.as_u16(), said.as_str()) {
            (408 | 429 | 500.., _) | (_, "rate_limit_exceeded" | "temporarily_unavailable" | "server_error") => {
                OauthError::Away(WhopError::Unreachable(format!("status {status}")))
            }
            (400 | 401, "invalid_grant" | "invalid_token") => OauthError::Gone,
            (401, said) if said != "invalid_client" => OauthError::Gone,
            (200..=399, _) => OauthError::Away(WhopError::Unreadable(format!("status {status}"))),
            (status, said) => OauthError::Refused(format!("{status} {said}")),
        })
    }
}

impl fmt::Debug for Oauth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Oauth").field("issuer", &self.0.issuer).finish_non_exhaustive()
    }
}

/// Lives for a moment, and can't be printed.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    token_type: String,
    expires_in: u32,
    #[serde(default, deserialize_with = "lenient::secret")]
    refresh_token: Option<SecretString>,
    #[serde(default, deserialize_with = "lenient::secret")]
    id_token: Option<SecretString>,
}

#[derive(Deserialize)]
struct Info {
    sub: String,
    #[serde(default, deserialize_with = "lenient::optional")]
    preferred_username: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    name: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    email: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    email_verified: Option<bool>,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error: String,
}
