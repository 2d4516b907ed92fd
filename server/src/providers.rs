//! The providers that the configuration sets up.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use atlas::providers::verify::WebhookSecrets;
use atlas::providers::whop::oauth::{Oauth, OauthSettings};
use atlas::providers::whop::{Client, Limits, Settings, Whop};
use atlas::providers::{PaymentProvider, Providers};
use domain::Provider;
use secrecy::ExposeSecret as _;

use crate::config::Config;

/// Whop, ready to sell and to be heard.
#[derive(Clone)]
pub struct WhopSetUp {
    pub provider: Arc<dyn PaymentProvider>,
    pub secrets: WebhookSecrets,
}

/// None when only manual orders are taken. `Config::problems` has said before what is missing.
pub fn whop(config: &Config) -> Result<Option<WhopSetUp>> {
    if !config.sets_up_whop() {
        return Ok(None);
    }
    let client = Client::new(Settings {
        api_url: config.whop.api_url.clone(),
        api_key: config.whop.api_key.clone().context("WHOP_API_KEY is missing")?,
        company_id: config.whop.company_id.clone().context("WHOP_COMPANY_ID is missing")?,
        limits: Limits::default(),
    })
    .context("setting up Whop")?;
    let secret = config.whop.webhook_secret.clone().context("WHOP_WEBHOOK_SECRET is missing")?;
    let (previous, until) = config.whop.previous_secret().unzip();
    let mut secrets = WebhookSecrets::new(secret, previous).context("WHOP_WEBHOOK_SECRET")?;
    if let Some(until) = until {
        secrets = secrets.previous_until(until);
    }
    Ok(Some(WhopSetUp { provider: Arc::new(Whop::new(client)), secrets }))
}

/// `by_environment`: who takes the money while the settings don't say.
pub fn all(whop: Option<&WhopSetUp>, by_environment: Provider) -> Providers {
    Providers::new(whop.map(|whop| Arc::clone(&whop.provider))).by_default(by_environment)
}

/// Where people may sign in with Whop; none without `WHOP_CLIENT_ID`. `public_url`: where we are reached.
pub fn oauth(config: &Config, public_url: &str) -> Result<Option<Oauth>> {
    let Some(client_id) = config.whop.client_id() else { return Ok(None) };
    let secret = config.whop.client_secret.clone().filter(|secret| !secret.expose_secret().is_empty());
    let settings = OauthSettings {
        oauth_url: config.whop.oauth_url.clone(),
        client_id: client_id.to_owned(),
        client_secret: secret,
        redirect_uri: format!("{public_url}{}", domain::paths::WHOP_CALLBACK),
    };
    Oauth::new(settings).map(Some).context("signing in with Whop")
}
