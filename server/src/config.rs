//! Everything that is set from outside, read once: environment variables and flags in one typed struct. What is
//! missing or wrong is said all at once, and no value is ever repeated back.

mod worlds;

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;

use atlas::memberships::{BadRule, Rule};
use atlas::notify::post;
use atlas::providers::whop::user_token::{BadKeys, UserTokens};
use clap::{Args, ValueEnum};
use domain::Provider;
use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::database::checks::Standing;
use crate::encryption;
use crate::layers::Known;
use crate::layers::client::{Hosts, Proxies};
use crate::layers::redirect::Ways;
use crate::meter::Rate;

/// Shorter secrets can be guessed. Whop's own are `ws_` and 64 hexadecimal digits.
const WEBHOOK_SECRET_BYTES_MIN: usize = 24;
const API_KEY_BYTES_MIN: usize = 16;

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
    /// Who takes the money: whop, or manual for none online.
    #[arg(long, env = "PAYMENT_PROVIDER", default_value = "whop", global = true, value_name = "NAME")]
    pub payment_provider: Provider,
    /// Products or plans at Whop, with commas between them: whoever buys has to hold a membership of one.
    #[arg(long, env = "ATLAS_REQUIRE_MEMBERSHIP", default_value = "", global = true, value_name = "IDS")]
    pub require_membership: String,
    #[command(flatten)]
    pub whop: WhopConfig,
    #[command(flatten)]
    pub mail: MailConfig,
}

/// How mails go out. Without a server they are kept in the outbox.
#[derive(Debug, Clone, Args)]
pub struct MailConfig {
    #[arg(long, env = "SMTP_URL", global = true, hide = true, value_parser = secret)]
    pub smtp_url: Option<SecretString>,
    // Named apart from a command's own --from: the same name would be the same argument.
    #[arg(id = "mail-from", long = "mail-from", env = "MAIL_FROM", global = true, hide = true)]
    pub from: Option<String>,
    #[arg(long = "admin-mail", env = "ADMIN_MAIL", global = true, hide = true)]
    pub admins: Option<String>,
}

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

/// Shown under `--help`: what has no flag.
pub const VARIABLES: &str = "\
Set in the environment only, because others can read a command line:
  DATABASE_URL                   postgres://…; without it a private PostgreSQL runs in the data folder
  ATLAS_ENCRYPTION_KEYS          id:base64 of 32 random bytes, several with commas, the first one seals; see docs/operate.md
  DATABASE_OWNER_URL             postgres://…, for migrations, if DATABASE_URL's login does not own the schema
  WHOP_API_KEY                   the company's API key
  WHOP_COMPANY_ID                biz_…
  WHOP_WEBHOOK_SECRET            ws_…, shown when the webhook is made
  WHOP_WEBHOOK_SECRET_PREVIOUS   still accepted while the secret is changed
  WHOP_WEBHOOK_SECRET_PREVIOUS_UNTIL   and until when: 2026-11-22T12:00:00Z
  WHOP_APP_PUBLIC_KEY            the JWK or JWKS of Whop’s frames, for /embed/credits; needs WHOP_APP_ID
  WHOP_APP_ID, WHOP_CLIENT_ID, WHOP_CLIENT_SECRET
  WHOP_API_URL, WHOP_OAUTH_URL, WHOP_WEB_URL   Whop's hosts, unless a sandbox stands in
  SMTP_URL                       smtps://user:password@host; without it mails are kept: atlas mail list
  MAIL_FROM                      who mails are from: Atlas Credits <credits@example.com>
  ADMIN_MAIL                     who hears of failures, with commas [default: everybody with the role admin]
  RUST_LOG                       what is logged: info,sqlx=warn,tower_sessions=warn,graphile_worker=warn";

impl Config {
    /// Everything that keeps `serve` from starting. Empty: all is well.
    pub fn problems(&self) -> Vec<String> {
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
        match self.payment_provider {
            Provider::Whop => self.whop.problems(self.standing(), &mut problems),
            Provider::Manual => {}
            Provider::Stripe => {
                problems.push("PAYMENT_PROVIDER: stripe is not built in; use whop or manual".to_owned());
            }
        }
        problems.extend(self.whop.oauth_problem());
        match self.membership_rule() {
            Ok(Some(_)) if self.payment_provider != Provider::Whop => {
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
        Rule::parse(&self.require_membership)
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

impl MailConfig {
    /// None: no mail server is set up.
    pub fn settings(&self) -> Result<Option<post::Settings>, post::BadSettings> {
        let Some(url) = self.smtp_url.as_ref().filter(|url| given(Some(url)).is_some()) else { return Ok(None) };
        let (from, admins) = (self.from.as_deref().unwrap_or_default(), self.admins.as_deref().unwrap_or_default());
        post::Settings::parse(url, from, admins).map(Some)
    }
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

    fn oauth_problem(&self) -> Option<String> {
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

    fn problems(&self, standing: Standing, problems: &mut Vec<String>) {
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
        if self.company_id.as_deref().unwrap_or_default().is_empty() {
            problems.push("WHOP_COMPANY_ID is missing".to_owned());
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

#[expect(clippy::unnecessary_wraps, reason = "clap's value parsers return a Result")]
fn secret(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(SecretString::from(text))
}

/// An empty variable is as good as none: compose files and units leave such behind.
fn given(value: Option<&SecretString>) -> Option<&str> {
    value.map(ExposeSecret::expose_secret).filter(|text| !text.is_empty())
}

fn check_secret(problems: &mut Vec<String>, name: &str, value: Option<&SecretString>, bytes_min: usize) {
    match given(value) {
        None => problems.push(format!("{name} is missing")),
        Some(text) if text.trim().len() < bytes_min => {
            problems.push(format!("{name} is too short: at least {bytes_min} characters"));
        }
        Some(_) => {}
    }
}

/// An address up to where its path begins.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |place| place + 3);
    url[host..].find('/').map_or(url, |end| &url[..host + end])
}

/// Scheme and host of an address that is nothing but an origin.
fn parse_public_url(url: &str) -> Option<(&str, &str)> {
    let uri: http::Uri = url.parse().ok()?;
    let scheme = url.split_once("://")?.0;
    let host = &url[scheme.len() + 3..];
    let host = host.strip_suffix('/').unwrap_or(host);
    let bare = uri.path().trim_matches('/').is_empty() && uri.query().is_none() && !host.contains(['@', '#', '?', '/']);
    (matches!(scheme, "http" | "https") && bare && !host.is_empty()).then_some((scheme, without_port(host)))
}

fn without_port(host: &str) -> &str {
    match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        config: Config,
    }

    fn config(arguments: &[&str]) -> Config {
        // Whoever runs the tests may have a database of theirs in the environment.
        let none: &[&str] = if arguments.contains(&"--database-url") { &[] } else { &["--database-url", ""] };
        Cli::try_parse_from([&["atlas"], none, arguments].concat()).unwrap().config
    }

    #[test]
    fn everything_missing_is_said_at_once() {
        let said = config(&["--whop-api-key", "", "--public-url", "credits.example.com"]).problems().join("\n");
        for name in ["WHOP_API_KEY", "WHOP_WEBHOOK_SECRET", "WHOP_COMPANY_ID", "ATLAS_PUBLIC_URL"] {
            assert!(said.contains(name), "{name} in {said}");
        }
    }

    #[test]
    fn a_short_webhook_secret_is_refused_and_not_repeated() {
        let said = config(&["--whop-webhook-secret", "ws_short_one"]).problems().join("\n");
        assert!(said.contains("WHOP_WEBHOOK_SECRET is too short"), "{said}");
        assert!(!said.contains("ws_short_one"));
    }

    #[test]
    fn t14_a_previous_secret_needs_an_end() {
        let previous = ["--whop-webhook-secret-previous", "ws_the_one_before_0123456789abcdef"];
        let missing = "WHOP_WEBHOOK_SECRET_PREVIOUS_UNTIL must say";
        assert!(config(&previous).problems().join("\n").contains(missing));
        for (until, is_fine) in [("2026-11-22T12:00:00Z", true), ("2026-11-22", false), ("soon", false), ("", false)] {
            let arguments = [&previous[..], &["--whop-webhook-secret-previous-until", until]].concat();
            assert_eq!(!config(&arguments).problems().join("\n").contains(missing), is_fine, "{until:?}");
        }
        assert!(!config(&["--whop-webhook-secret-previous", ""]).problems().join("\n").contains(missing));
    }

    #[test]
    fn secrets_do_not_show_in_debug() {
        let shown =
            format!("{:?}", config(&["--whop-api-key", "apik_secret", "--database-url", "postgres://u:pw@h/d"]));
        assert!(!shown.contains("apik_secret") && !shown.contains("pw@h"), "{shown}");
    }

    #[test]
    fn mail_needs_a_sender_and_an_encrypted_way() {
        let said = |arguments: &[&str]| config(&[&["--payment-provider", "manual"], arguments].concat()).problems();
        assert_eq!(said(&["--smtp-url", ""]), Vec::<String>::new(), "an empty variable is none");
        assert_eq!(said(&["--smtp-url", "smtps://u:secret@mail.example.com", "--mail-from", "a@example.com"]).len(), 0);
        for arguments in [
            ["--smtp-url", "smtps://u:secret@mail.example.com", "--mail-from", "nobody"],
            ["--smtp-url", "smtp://u:secret@mail.example.com", "--mail-from", "a@example.com"],
        ] {
            let said = said(&arguments);
            assert_eq!(said.len(), 1, "{said:?}");
            assert!(!said[0].contains("secret"), "{said:?}");
        }
    }

    #[test]
    fn without_a_provider_nothing_of_whop_is_needed() {
        assert_eq!(config(&["--payment-provider", "manual"]).problems(), Vec::<String>::new());
    }

    #[test]
    fn t80_plain_http_is_refused_unless_it_stays_on_this_machine() {
        let said = |url: &str| config(&["--payment-provider", "manual", "--public-url", url]).problems();
        assert_eq!(said("http://credits.example.com").len(), 1);
        for fine in ["https://credits.example.com", "http://localhost:3000", "http://[::1]:3000", "http://127.0.0.1/"] {
            assert_eq!(said(fine), Vec::<String>::new(), "{fine}");
        }
    }

    #[test]
    fn t80_staff_can_do_without_a_second_factor_on_this_machine_only() {
        let said = |arguments: &[&str]| {
            config(&[&["--payment-provider", "manual", "--require-second-factor", "off"], arguments].concat())
                .problems()
        };
        for local in [&[][..], &["--public-url", "http://localhost:3000"], &["--public-url", "http://[::1]:3000"]] {
            assert_eq!(said(local), Vec::<String>::new());
        }
        for public in [["--public-url", "https://credits.example.com"], ["--listen", "0.0.0.0:3000"]] {
            assert!(said(&public).join("\n").contains("ATLAS_REQUIRE_SECOND_FACTOR"), "{public:?}");
        }
    }

    #[test]
    fn a_public_url_is_an_origin_and_nothing_more() {
        for bad in ["https://a.example/b", "ftp://a.example", "https://u@a.example", "https://", "a.example"] {
            assert!(parse_public_url(bad).is_none(), "{bad}");
        }
        assert_eq!(parse_public_url("https://a.example:8443/"), Some(("https", "a.example")));
    }
}
