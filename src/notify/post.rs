//! The way out: letters become mails and go to an SMTP server.

use std::fmt;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{Error as SmtpError, PoolConfig};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};

use super::letter::Letter;

/// One command of the conversation with the server.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);
/// One mail, connecting included.
const MAIL_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECTIONS_MAX: u32 = 2;
const ERROR_CHARS_MAX: usize = 300;

/// Where mail goes and from whom; read and found good, nothing connected yet.
pub struct Settings {
    url: SecretString,
    from: Mailbox,
    admins: Vec<Address>,
}

/// A mail server and the address that we write from.
pub struct Post {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// Who hears of what concerns the admins; empty: everybody with that role.
    admins: Vec<Address>,
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").field("from", &self.from).finish_non_exhaustive()
    }
}

/// Why mail can't be sent at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSettings {
    #[error("SMTP_URL must be smtps://user:password@host or smtp://user:password@host:587?tls=required")]
    Url,
    #[error("SMTP_URL must be encrypted: smtps://, or smtp:// with ?tls=required (without only to this machine)")]
    NotEncrypted,
    #[error("MAIL_FROM must be an address: Atlas Credits <credits@example.com>")]
    From,
    #[error("ADMIN_MAIL must be addresses, with commas between them")]
    Admins,
}

/// Why one mail was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotSent {
    pub fault: Fault,
    /// At most 300 characters, without control characters.
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The server can't be reached or used: no other mail will go either.
    Server,
    /// The server says "later".
    Later,
    /// The server says "never", or there is no address.
    Never,
}

impl Settings {
    /// `url`: `smtps://` or `smtp://…?tls=required`, with user and password. `from` and `admins` as people write
    /// addresses; `admins` may be empty.
    pub fn parse(url: &SecretString, from: &str, admins: &str) -> Result<Self, BadSettings> {
        let parsed = reqwest::Url::parse(url.expose_secret()).map_err(|_| BadSettings::Url)?;
        let host = parsed.host_str().ok_or(BadSettings::Url)?;
        let is_encrypted = parsed.scheme() == "smtps"
            || parsed.query_pairs().any(|(name, value)| name == "tls" && value == "required");
        if !is_encrypted && !matches!(host, "127.0.0.1" | "localhost" | "[::1]") {
            return Err(BadSettings::NotEncrypted);
        }
        AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret()).map_err(|_| BadSettings::Url)?;
        let from = from.parse().map_err(|_| BadSettings::From)?;
        let admins = admins.split(',').map(str::trim).filter(|address| !address.is_empty());
        let admins = admins.map(str::parse).collect::<Result<_, _>>().map_err(|_| BadSettings::Admins)?;
        Ok(Self { url: url.clone(), from, admins })
    }
}

impl Post {
    /// Connects when the first mail goes out.
    pub fn new(settings: Settings) -> Result<Self, BadSettings> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(settings.url.expose_secret())
            .map_err(|_| BadSettings::Url)?
            .hello_name(ClientId::Domain(settings.from.email.domain().to_owned()))
            .timeout(Some(COMMAND_TIMEOUT))
            .pool_config(PoolConfig::new().max_size(CONNECTIONS_MAX))
            .build();
        Ok(Self { transport, from: settings.from, admins: settings.admins })
    }

    pub fn admins(&self) -> &[Address] {
        &self.admins
    }

    /// Connects, signs in and leaves again; no mail is sent.
    pub async fn greet(&self) -> Result<(), NotSent> {
        let trouble = |message: &str| NotSent { fault: Fault::Server, message: message.to_owned() };
        match tokio::time::timeout(COMMAND_TIMEOUT, self.transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(trouble("it does not answer as a mail server does")),
            Ok(Err(error)) => Err(not_sent(&error)),
            Err(_) => Err(trouble("it took too long")),
        }
    }

    /// Sends one letter to everybody in `to`, in a single mail that does not show them to each other. `mail` makes its
    /// Message-ID: sent twice, it is the same mail, and mailboxes may show it once.
    pub async fn send(&self, mail: i64, to: &[Address], letter: &Letter) -> Result<(), NotSent> {
        let never = |message: String| NotSent { fault: Fault::Never, message };
        let Some(first) = to.first() else { return Err(never("there is nobody to send it to".to_owned())) };
        let envelope =
            Envelope::new(Some(self.from.email.clone()), to.to_vec()).map_err(|error| never(error.to_string()))?;
        // Several admins: to ourselves, so that nobody's address is shown around.
        let shown = if to.len() == 1 { Mailbox::new(None, first.clone()) } else { self.from.clone() };
        let message = Message::builder()
            .from(self.from.clone())
            .to(shown)
            .subject(letter.subject())
            .message_id(Some(format!("<mail.{mail}@{}>", self.from.email.domain())))
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
            .envelope(envelope)
            .multipart(MultiPart::alternative_plain_html(letter.text(), letter.html()))
            .map_err(|error| never(error.to_string()))?;
        match tokio::time::timeout(MAIL_TIMEOUT, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(not_sent(&error)),
            Err(_) => Err(NotSent { fault: Fault::Server, message: "the mail server took too long".to_owned() }),
        }
    }
}

fn not_sent(error: &SmtpError) -> NotSent {
    // A refused sign-in or greeting is about the server, whatever its number; but the same numbers are used for one
    // recipient. Those 5xx that mean our account are told by RFC 4954, section 6.
    let is_about_us = error.status().is_some_and(|code| matches!(u16::from(code), 421 | 454 | 530 | 534 | 535 | 538));
    let fault = if is_about_us || error.status().is_none() {
        Fault::Server
    } else if error.is_permanent() {
        Fault::Never
    } else {
        Fault::Later
    };
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let said = error.to_string();
        if !message.contains(&said) {
            message = format!("{message}: {said}");
        }
        cause = error.source();
    }
    let message = message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(ERROR_CHARS_MAX).collect();
    NotSent { fault, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(url: &str, from: &str, admins: &str) -> Result<(), BadSettings> {
        Settings::parse(&SecretString::from(url), from, admins).map(drop)
    }

    #[test]
    fn passwords_and_mails_do_not_travel_in_the_clear() {
        let from = "Atlas <credits@example.com>";
        for url in
            ["smtps://u:p@mail.example.com", "smtp://u:p@mail.example.com:587?tls=required", "smtp://127.0.0.1:25"]
        {
            assert_eq!(made(url, from, ""), Ok(()), "{url}");
        }
        for url in ["smtp://u:p@mail.example.com", "smtp://mail.example.com?tls=opportunistic"] {
            assert_eq!(made(url, from, ""), Err(BadSettings::NotEncrypted), "{url}");
        }
        assert_eq!(made("mail.example.com", from, ""), Err(BadSettings::Url));
    }

    #[test]
    fn addresses_are_read_before_anything_is_sent() {
        let url = "smtps://mail.example.com";
        assert_eq!(made(url, "credits", ""), Err(BadSettings::From));
        assert_eq!(made(url, "a@example.com\r\nBcc: b@example.com", ""), Err(BadSettings::From));
        assert_eq!(made(url, "a@example.com", "b@example.com, c@example.com"), Ok(()));
        assert_eq!(made(url, "a@example.com", "b@example.com; c"), Err(BadSettings::Admins));
    }
}
