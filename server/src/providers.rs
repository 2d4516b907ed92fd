//! The providers that the configuration sets up.

use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, Result};
use atlas::providers::PaymentProvider;
use atlas::providers::verify::WebhookSecrets;
use atlas::providers::whop::oauth::{Oauth, OauthSettings};
use atlas::providers::whop::{Client, Limits, Settings, Whop};
use atlas::set_up::whop::Keys;
use domain::Provider;
use secrecy::ExposeSecret as _;

use crate::config::Config;

/// Whop, ready to sell and to be heard.
#[derive(Clone)]
pub struct WhopSetUp {
    pub provider: Arc<dyn PaymentProvider>,
    pub secrets: WebhookSecrets,
}

/// Whop as soon as it is set up, for every copy.
pub type WhopDoor = Arc<OnceLock<WhopSetUp>>;

/// None while something is missing. With all of it, Whop is there even where requests are the default: settings may lead to it.
pub fn whop(config: &Config, keys: &Keys) -> Result<Option<WhopSetUp>> {
    let Keys { api_key: Some(api_key), company_id: Some(company_id), webhook_secret: Some(secret) } = keys.clone()
    else {
        return Ok(None);
    };
    if config.payment_provider == Provider::Stripe {
        return Ok(None);
    }
    let settings = Settings { api_url: config.whop.api_url.clone(), api_key, company_id, limits: Limits::default() };
    let client = Client::new(settings).context("setting up Whop")?;
    let (previous, until) = config.whop.previous_secret().unzip();
    let mut secrets = WebhookSecrets::new(secret, previous).context("WHOP_WEBHOOK_SECRET")?;
    if let Some(until) = until {
        secrets = secrets.previous_until(until);
    }
    Ok(Some(WhopSetUp { provider: Arc::new(Whop::new(client)), secrets }))
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
