//! The mail server, greeted and left again: no mail is sent.

use super::check::Check;
use crate::config::Config;
use crate::post;

const SUBJECT: &str = "Mail";

pub async fn check(config: &Config) -> Check {
    let mend = "Mend SMTP_URL; what could not be sent waits: atlas mail list.";
    match post::post(config) {
        Ok(None) => Check::good(SUBJECT, "kept in the outbox: atlas mail list (SMTP_URL sends it)"),
        Ok(Some(post)) => match post.greet().await {
            Ok(()) => Check::good(SUBJECT, "the mail server answers and lets us in"),
            Err(trouble) => Check::bad(SUBJECT, format!("the mail server can’t be used: {}", trouble.message), mend),
        },
        // The configuration's own check says the same in full.
        Err(error) => Check::bad(SUBJECT, format!("{error:#}"), mend),
    }
}
