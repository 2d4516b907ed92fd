//! How mails go out.

use atlas::notify::post;
use clap::Args;
use secrecy::SecretString;

use super::secrets::{given, secret};

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

impl MailConfig {
    /// None: no mail server is set up.
    pub fn settings(&self) -> Result<Option<post::Settings>, post::BadSettings> {
        let Some(url) = self.smtp_url.as_ref().filter(|url| given(Some(url)).is_some()) else { return Ok(None) };
        let (from, admins) = (self.from.as_deref().unwrap_or_default(), self.admins.as_deref().unwrap_or_default());
        post::Settings::parse(url, from, admins).map(Some)
    }
}
