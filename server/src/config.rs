//! Everything that is set from outside, read once: environment variables and flags in one typed struct. What is
//! missing or wrong is said all at once, and no value is ever repeated back.

mod addresses;
mod mail;
mod secrets;
#[cfg(test)]
mod tests;
mod variables;
mod whop;
mod worlds;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use atlas::memberships::{BadRule, Rule};
use atlas::set_up::whop::Keys;
use clap::{Args, ValueEnum};
use domain::Provider;
use secrecy::{ExposeSecret, SecretString};

use self::addresses::{is_loopback, origin, parse_public_url};
use self::mail::MailConfig;
use self::secrets::{given, secret};
pub use self::variables::VARIABLES;
pub use self::whop::{WhopConfig, missing};
use crate::database::checks::Standing;
use crate::encryption;
use crate::layers::Known;
use crate::layers::client::{Hosts, Proxies};
use crate::layers::redirect::Ways;
use crate::meter::Rate;

#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Where to listen. Port 0 takes any free port and says which.
    #[arg(long, env = "ATLAS_LISTEN", default_value = "127.0.0.1:3000", global = true, value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Where people reach us: links, redirects and the Origin check use it [default: http:// and the listen address]
    #[arg(long, env = "ATLAS_PUBLIC_URL", global = true, value_name = "URL")]
    pub public_url: Option<String>,
    /// Our own proxies, as networks with commas between them: what they say of a client's address is believed.
    #[arg(long, env = "ATLAS_TRUSTED_PROXIES", default_value = "", global = true, value_name = "NETWORKS")]
    pub trusted_proxies: Proxies,
    /// Further names that we answer to beside the public URL's, with commas between them.
    #[arg(long, env = "ATLAS_HOSTS", default_value = "", value_delimiter = ',', global = true, value_name = "NAMES")]
    pub hosts: Vec<String>,
    /// How often each API key may be used, a second; twice that at once.
    #[arg(long, env = "ATLAS_SPENDS_PER_SECOND", default_value = "200", global = true, value_name = "COUNT")]
    pub spends_per_second: NonZeroU32,
    /// Where the private database lives.
    #[arg(long, env = "ATLAS_DATA_DIR", default_value = ".atlas", global = true, value_name = "FOLDER")]
    pub data_dir: PathBuf,
    /// The built site [default: site beside the program's folder]
    #[arg(long, env = "ATLAS_SITE_DIR", global = true, value_name = "FOLDER")]
    pub site_dir: Option<PathBuf>,
    /// The folder of `initdb`, `pg_ctl` and `postgres` [default: the newest found]
    #[arg(long, env = "ATLAS_PG_BIN", global = true, value_name = "FOLDER")]
    pub pg_bin: Option<PathBuf>,
    /// How the log is written. What is written: `RUST_LOG`.
    #[arg(long, env = "ATLAS_LOG", default_value = "text", global = true, value_name = "FORMAT")]
    pub log: LogFormat,
    #[arg(
        long,
        env = "RUST_LOG",
        default_value = "info,sqlx=warn,tower_sessions=warn,graphile_worker=warn",
        global = true,
        hide = true
    )]
    pub log_filter: String,
    /// `postgres://…`. Without it the program runs a private Postgres of its own.
    #[arg(long, env = "DATABASE_URL", global = true, hide = true, value_parser = secret)]
    pub database_url: Option<SecretString>,
    /// What seals tokens at rest. With a private Postgres one is made beside it.
    #[arg(long, env = "ATLAS_ENCRYPTION_KEYS", global = true, hide = true, value_parser = secret)]
    pub encryption_keys: Option<SecretString>,
    /// Whether support, finance and admins need a second factor. Off: only where nobody but this machine gets in.
    #[arg(long, env = "ATLAS_REQUIRE_SECOND_FACTOR", default_value = "on", global = true, value_name = "ON")]
    pub require_second_factor: Switch,
    /// Who owns the schema and migrates it, where that is another login than the one that serves.
    #[arg(long, env = "DATABASE_OWNER_URL", global = true, hide = true, value_parser = secret)]
    pub database_owner_url: Option<SecretString>,
    /// Who takes the money until somebody says otherwise in the settings: whop, or manual for none online. With Whop's keys set,
    /// both can be.
    #[arg(long, env = "PAYMENT_PROVIDER", default_value = "whop", global = true, value_name = "NAME")]
    pub payment_provider: Provider,
    /// Products or plans at Whop, with commas between them: whoever buys has to hold a membership of one.
    #[arg(long, env = "ATLAS_REQUIRE_MEMBERSHIP", default_value = "", global = true, value_name = "IDS")]
    pub require_membership: String,
    /// Plans that anybody may buy all the same: their names in addresses (slugs), with commas between them.
    #[arg(long, env = "ATLAS_REQUIRE_MEMBERSHIP_EXCEPT", default_value = "", global = true, value_name = "SLUGS")]
    pub require_membership_except: String,
    #[command(flatten)]
    pub whop: WhopConfig,
    #[command(flatten)]
    pub mail: MailConfig,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

impl Switch {
    pub const fn is_on(self) -> bool {
        matches!(self, Self::On)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

impl Config {
    /// Everything that keeps Atlas from selling, as far as the environment says. Empty: all is well.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.wrong();
        if self.payment_provider == Provider::Whop {
            let given = self.whop.given();
            problems.extend(missing(&Keys::only(&given)));
        }
        problems
    }

    /// What is set, and must not be as it is. What is only missing may be stored.
    pub fn wrong(&self) -> Vec<String> {
        let mut problems = Vec::new();
        match self.public_url.as_deref().map(parse_public_url) {
            Some(None) => {
                problems.push("ATLAS_PUBLIC_URL must look like https://credits.example.com, with no path".to_owned());
            }
            Some(Some((scheme, host))) if scheme != "https" && !is_loopback(host) => problems.push(
                "ATLAS_PUBLIC_URL must be https, or passwords and sessions travel in the clear (plain http only on this machine)"
                    .to_owned(),
            ),
            _ => {}
        }
        for (name, url) in [("DATABASE_URL", self.database_url()), ("DATABASE_OWNER_URL", self.database_owner_url())] {
            if url.is_some_and(|url| !(url.starts_with("postgres://") || url.starts_with("postgresql://"))) {
                problems.push(format!("{name} must start with postgres://"));
            }
        }
        problems.extend(encryption::problem(self));
        if !self.require_second_factor.is_on() && !self.is_local() {
            problems.push(
                "ATLAS_REQUIRE_SECOND_FACTOR may be off only while ATLAS_PUBLIC_URL is this machine's own: it is for demos"
                    .to_owned(),
            );
        }
        if self.sets_up_whop() {
            self.whop.problems(self.standing(), &mut problems);
        }
        if self.payment_provider == Provider::Stripe {
            problems.push("PAYMENT_PROVIDER: stripe is not built in; use whop or manual".to_owned());
        }
        problems.extend(self.whop.oauth_problem());
        match self.membership_rule() {
            Ok(Some(_)) if !self.sets_up_whop() => {
                problems.push(
                    "ATLAS_REQUIRE_MEMBERSHIP needs PAYMENT_PROVIDER=whop, which knows the memberships".to_owned(),
                );
            }
            Ok(_) => {}
            Err(bad) => problems.push(format!("ATLAS_REQUIRE_MEMBERSHIP {bad}")),
        }
        if let Err(problem) = self.mail.settings() {
            problems.push(problem.to_string());
        }
        problems
    }

    /// Whether Whop is set up beside requests: as the default, or for whom the settings say so.
    pub fn sets_up_whop(&self) -> bool {
        match self.payment_provider {
            Provider::Whop => true,
            Provider::Manual => self.whop.is_complete(),
            Provider::Stripe => false,
        }
    }

    /// Whether people reach us on this machine only.
    fn is_local(&self) -> bool {
        match self.public_url.as_deref() {
            Some(url) => parse_public_url(url).is_some_and(|(_, host)| is_loopback(host)),
            None => self.listen.ip().is_loopback(),
        }
    }

    /// Our own address, without a slash at the end; `bound` is where we really listen.
    pub fn public_url(&self, bound: SocketAddr) -> String {
        match &self.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None if bound.ip().is_unspecified() => format!("http://127.0.0.1:{}", bound.port()),
            None => format!("http://{bound}"),
        }
    }

    /// The proxies in front of us, our names, and where we send people.
    pub fn known(&self, public_url: &str) -> Known {
        let others: Vec<String> =
            self.hosts.iter().map(|host| host.trim().to_owned()).filter(|host| !host.is_empty()).collect();
        Known {
            proxies: self.trusted_proxies.clone(),
            hosts: Hosts::new(public_url, &others),
            ways: Ways::new(
                &[Some(public_url), Some(origin(&self.whop.web_url)), self.sign_in_origin()]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>(),
            ),
        }
    }

    /// Only who means it has a certificate.
    pub fn standing(&self) -> Standing {
        let is_https = self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
        if is_https { Standing::Public } else { Standing::Private }
    }

    pub fn database_owner_url(&self) -> Option<&str> {
        given(self.database_owner_url.as_ref())
    }

    pub fn spends_of_a_key(&self) -> Rate {
        Rate::a_second(self.spends_per_second)
    }

    /// Where people are sent who sign in with Whop; none, where they can't.
    pub fn sign_in_origin(&self) -> Option<&str> {
        self.whop.client_id().map(|_| origin(&self.whop.oauth_url))
    }

    /// None: nothing is asked of buyers.
    pub fn membership_rule(&self) -> Result<Option<Rule>, BadRule> {
        Ok(Rule::parse(&self.require_membership)?.map(|rule| rule.except(&self.require_membership_except)))
    }

    pub fn database_url(&self) -> Option<&str> {
        given(self.database_url.as_ref())
    }

    /// None: an empty variable is as good as none.
    pub fn encryption_keys(&self) -> Option<&SecretString> {
        self.encryption_keys.as_ref().filter(|keys| !keys.expose_secret().is_empty())
    }

    /// The folder that the browser's files are served from.
    pub fn site_dir(&self) -> PathBuf {
        if let Some(folder) = &self.site_dir {
            return folder.clone();
        }
        let program = std::env::current_exe().unwrap_or_default();
        let folder = program.parent().unwrap_or(&program);
        let beside = folder.join("site");
        if beside.is_dir() { beside } else { folder.parent().unwrap_or(folder).join("site") }
    }
}
