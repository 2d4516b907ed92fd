//! What is set about Whop.

use atlas::providers::whop::user_token::{BadKeys, UserTokens};
use atlas::set_up::whop::{Given, Keys};
use clap::Args;
use secrecy::SecretString;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::addresses::{is_loopback, origin};
use super::secrets::{check_secret, given, secret};
use super::worlds;
use crate::database::checks::Standing;

/// Shorter secrets can be guessed. Whop's own are `ws_` and 64 hexadecimal digits.
const WEBHOOK_SECRET_BYTES_MIN: usize = 24;
const API_KEY_BYTES_MIN: usize = 16;

/// Whop's keys and addresses. Options exist only so that clap reads the variables: a secret on a command line can be
/// read by every user of the machine, so they are not listed.
#[derive(Debug, Clone, Args)]
pub struct WhopConfig {
    #[arg(long = "whop-api-key", env = "WHOP_API_KEY", global = true, hide = true, value_parser = secret)]
    pub api_key: Option<SecretString>,
    #[arg(long = "whop-app-id", env = "WHOP_APP_ID", global = true, hide = true)]
    pub app_id: Option<String>,
    /// The key that Whop signs with what its frames bring along: a JWK or a JWKS. Not a secret.
    #[arg(long = "whop-app-public-key", env = "WHOP_APP_PUBLIC_KEY", global = true, hide = true)]
    pub app_public_key: Option<String>,
    #[arg(long = "whop-company-id", env = "WHOP_COMPANY_ID", global = true, hide = true)]
    pub company_id: Option<String>,
    #[arg(long = "whop-webhook-secret", env = "WHOP_WEBHOOK_SECRET", global = true, hide = true, value_parser = secret)]
    pub webhook_secret: Option<SecretString>,
    /// Still accepted while the secret is being changed.
    #[arg(long = "whop-webhook-secret-previous", env = "WHOP_WEBHOOK_SECRET_PREVIOUS", global = true, hide = true, value_parser = secret)]
    pub webhook_secret_previous: Option<SecretString>,
    /// From then on it is refused.
    #[arg(
        long = "whop-webhook-secret-previous-until",
        env = "WHOP_WEBHOOK_SECRET_PREVIOUS_UNTIL",
        global = true,
        hide = true
    )]
    pub webhook_secret_previous_until: Option<String>,
    #[arg(long, env = "WHOP_CLIENT_ID", global = true, hide = true)]
    pub client_id: Option<String>,
    #[arg(long, env = "WHOP_CLIENT_SECRET", global = true, hide = true, value_parser = secret)]
    pub client_secret: Option<SecretString>,
    #[arg(
        long = "whop-api-url",
        env = "WHOP_API_URL",
        default_value = "https://api.whop.com/api/v1",
        global = true,
        hide = true
    )]
    pub api_url: String,
    #[arg(
        long = "whop-oauth-url",
        env = "WHOP_OAUTH_URL",
        default_value = "https://api.whop.com/oauth",
        global = true,
        hide = true
    )]
    pub oauth_url: String,
    #[arg(long = "whop-web-url", env = "WHOP_WEB_URL", default_value = "https://whop.com", global = true, hide = true)]
    pub web_url: String,
}

/// What is still needed before anything can be sold.
pub fn missing(keys: &Keys) -> Vec<String> {
    let named = [
        ("WHOP_API_KEY", keys.api_key.is_none()),
        ("WHOP_COMPANY_ID", keys.company_id.is_none()),
        ("WHOP_WEBHOOK_SECRET", keys.webhook_secret.is_none()),
    ];
    named.into_iter().filter(|(_, is_missing)| *is_missing).map(|(name, _)| format!("{name} is missing")).collect()
}

impl WhopConfig {
    /// Who looks at us from inside Whop; None: nobody is shown anything there.
    pub fn user_tokens(&self) -> Result<Option<UserTokens>, BadKeys> {
        let Some(keys) = self.app_public_key.as_deref().filter(|keys| !keys.is_empty()) else { return Ok(None) };
        let app = [&self.app_id, &self.client_id].into_iter().flatten().find(|id| !id.is_empty());
        UserTokens::new(app.map(String::as_str).unwrap_or_default(), keys).map(Some)
    }

    /// Under which name accounts of Whop's are known here.
    pub fn issuer(&self) -> &str {
        origin(&self.oauth_url)
    }

    /// None: nobody can sign in with Whop.
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref().filter(|id| !id.is_empty())
    }

    pub(super) fn oauth_problem(&self) -> Option<String> {
        let odd = self.client_id().is_some_and(|id| !id.starts_with("app_"));
        let alone = self.client_id().is_none() && given(self.client_secret.as_ref()).is_some();
        if odd || alone { Some("WHOP_CLIENT_ID must be the app's id, app_…".to_owned()) } else { None }
    }

    /// The secret before, and when its time is over.
    pub fn previous_secret(&self) -> Option<(SecretString, OffsetDateTime)> {
        let secret = self.webhook_secret_previous.clone().filter(|secret| given(Some(secret)).is_some())?;
        let until = self.webhook_secret_previous_until.as_deref()?;
        Some((secret, OffsetDateTime::parse(until.trim(), &Rfc3339).ok()?))
    }

    /// Whether everything is there that selling takes.
    pub(super) fn is_complete(&self) -> bool {
        let secrets = [&self.api_key, &self.webhook_secret];
        secrets.into_iter().all(|secret| given(secret.as_ref()).is_some())
            && self.company_id.as_deref().is_some_and(|id| !id.is_empty())
    }

    /// What the environment says, for whoever puts it together with what is stored.
    pub fn given(&self) -> Given {
        Given {
            api_url: self.api_url.clone(),
            api_key: self.api_key.clone().filter(|key| given(Some(key)).is_some()),
            company_id: self.company_id.clone().filter(|id| !id.is_empty()),
            webhook_secret: self.webhook_secret.clone().filter(|secret| given(Some(secret)).is_some()),
        }
    }

    /// What is wrong.
    pub(super) fn problems(&self, standing: Standing, problems: &mut Vec<String>) {
        check_secret(problems, "WHOP_API_KEY", self.api_key.as_ref(), API_KEY_BYTES_MIN);
        check_secret(problems, "WHOP_WEBHOOK_SECRET", self.webhook_secret.as_ref(), WEBHOOK_SECRET_BYTES_MIN);
        if given(self.webhook_secret_previous.as_ref()).is_some() {
            let previous = self.webhook_secret_previous.as_ref();
            check_secret(problems, "WHOP_WEBHOOK_SECRET_PREVIOUS", previous, WEBHOOK_SECRET_BYTES_MIN);
            if self.previous_secret().is_none() {
                problems.push(
                    "WHOP_WEBHOOK_SECRET_PREVIOUS_UNTIL must say when the previous secret ends, like 2026-11-22T12:00:00Z"
                        .to_owned(),
                );
            }
        }
        for (name, url) in
            [("WHOP_API_URL", &self.api_url), ("WHOP_OAUTH_URL", &self.oauth_url), ("WHOP_WEB_URL", &self.web_url)]
        {
            let host = url.split_once("://").map(|(_, rest)| rest.split(['/', ':']).next().unwrap_or_default());
            let trusted = url.starts_with("https://") || host.is_some_and(is_loopback);
            if !trusted {
                problems.push(format!("{name} must be https:// (plain http only to this machine)"));
            }
        }
        let mut urls = vec![&*self.api_url, &self.web_url];
        if [&self.client_id, &self.app_id].into_iter().flatten().any(|id| !id.is_empty()) {
            urls.push(&self.oauth_url);
        }
        if self.user_tokens().is_err() {
            problems
                .push("WHOP_APP_PUBLIC_KEY must be a JWK or a JWKS with P-256 keys, and WHOP_APP_ID be set".to_owned());
        }
        let api_key = given(self.api_key.as_ref()).unwrap_or_default();
        problems.extend(worlds::problems(&worlds::Settings {
            urls: &urls,
            api_key,
            is_public: standing == Standing::Public,
        }));
    }
}
