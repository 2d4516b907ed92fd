//! The payment providers that the configuration sets up.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use atlas::providers::whop::{Client, Limits, Settings, Whop};
use atlas::providers::{PaymentProvider, Providers};
use domain::Provider;

use crate::config::Config;

/// Call [`Config::problems`] first: what is missing is said better there.
pub fn from(config: &Config) -> Result<Providers> {
    if config.payment_provider != Provider::Whop {
        return Ok(Providers::default());
    }
    let settings = Settings {
        api_url: config.whop.api_url.clone(),
        api_key: config.whop.api_key.clone().context("WHOP_API_KEY is missing")?,
        company_id: config.whop.company_id.clone().context("WHOP_COMPANY_ID is missing")?,
        limits: Limits::default(),
    };
    let whop: Arc<dyn PaymentProvider> = Arc::new(Whop::new(Client::new(settings).context("setting up Whop")?));
    Ok(Providers::new([whop]))
}
