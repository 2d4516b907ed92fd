//! The mail server that the configuration sets up.

use std::sync::Arc;

use anyhow::Result;
use atlas::notify::post::Post;

use crate::config::Config;

/// None without `SMTP_URL`: then mails are kept.
pub fn post(config: &Config) -> Result<Option<Arc<Post>>> {
    let Some(settings) = config.mail.settings()? else { return Ok(None) };
    Ok(Some(Arc::new(Post::new(settings)?)))
}
