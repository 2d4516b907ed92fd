//! The command line, and the settings that the running sandbox reads.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::oauth::Client;

/// A local Whop: API, checkout page and signed webhooks. No real money moves.
#[derive(Parser, Clone, Debug)]
#[command(name = "sandbox", version)]
pub struct Options {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, env = "SANDBOX_LISTEN", default_value = "127.0.0.1:4010")]
    pub listen: SocketAddr,
    /// Where browsers reach the sandbox [default: http:// and the address it listens on]
    #[arg(long, env = "SANDBOX_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// The bearer key that API calls must carry
    #[arg(long, env = "WHOP_API_KEY", default_value = "sandbox-api-key-for-atlas-demo", hide_env_values = true)]
    pub api_key: String,
    /// The account the key belongs to
    #[arg(long, env = "WHOP_COMPANY_ID", default_value = "biz_AtlasSandbox01")]
    pub company_id: String,
    /// Creates a webhook endpoint with this URL at start
    #[arg(long, env = "SANDBOX_WEBHOOK_URL")]
    pub webhook_url: Option<String>,
    /// Secret of that endpoint [default: generated]
    #[arg(long, env = "WHOP_WEBHOOK_SECRET", hide_env_values = true)]
    pub webhook_secret: Option<String>,
    /// The app that people may sign in to, `app_...`; without one nobody can
    #[arg(long, env = "WHOP_CLIENT_ID")]
    pub client_id: Option<String>,
    /// Its secret, if it has one
    #[arg(long, env = "WHOP_CLIENT_SECRET", hide_env_values = true)]
    pub client_secret: Option<String>,
    /// The one address that it may have people sent back to
    #[arg(long, env = "SANDBOX_REDIRECT_URI")]
    pub redirect_uri: Option<String>,
    /// Seconds for which an access token is good
    #[arg(long, env = "SANDBOX_ACCESS_SECONDS", default_value_t = 3600)]
    pub access_seconds: u64,
    /// Makes ids and faults repeatable
    #[arg(long, env = "SANDBOX_SEED")]
    pub seed: Option<u64>,
    /// Divides the waits between webhook retries: 60 makes 30 s into half a second
    #[arg(long, env = "SANDBOX_TIME_SCALE", default_value_t = 1.0, value_parser = positive)]
    pub time_scale: f64,
    /// Milliseconds between "Pay" and the payment being paid
    #[arg(long, env = "SANDBOX_SETTLE_MS", default_value_t = 150)]
    pub settle_ms: u64,
    /// Keeps everything that happened in this file and starts from it again
    #[arg(long, env = "SANDBOX_JOURNAL")]
    pub journal: Option<PathBuf>,
}

/// What stays the same while the sandbox runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Without a slash at the end.
    pub public_url: String,
    pub api_key: String,
    pub company_id: String,
    pub company_title: String,
    pub seed: Option<u64>,
    pub time_scale: f64,
    pub settle: Duration,
    pub client: Option<Client>,
    pub access_seconds: u64,
}

impl Options {
    fn client(&self) -> Option<Client> {
        let (id, redirect_uri) = (given(self.client_id.as_ref())?, given(self.redirect_uri.as_ref())?);
        Some(Client { id, secret: given(self.client_secret.as_ref()), redirect_uri })
    }

    /// The settings, once the address is known.
    pub fn settings(&self, address: SocketAddr) -> Settings {
        let public_url = self.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
        Settings {
            public_url: public_url.trim_end_matches('/').to_owned(),
            api_key: self.api_key.clone(),
            company_id: self.company_id.clone(),
            company_title: "Atlas Credits".to_owned(),
            seed: self.seed,
            time_scale: self.time_scale,
            settle: Duration::from_millis(self.settle_ms),
            client: self.client(),
            access_seconds: self.access_seconds,
        }
    }
}

fn given(value: Option<&String>) -> Option<String> {
    // An empty variable means the same as none.
    value.filter(|value| !value.is_empty()).cloned()
}

fn positive(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|scale| *scale >= 0.001 && f64::is_finite(*scale))
        .ok_or("must be a number of at least 0.001".to_owned())
}
