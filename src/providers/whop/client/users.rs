//! People, and what they have access to (Whop API, users).

use super::{Call, Client, segment};
use crate::providers::whop::error::WhopError;
use crate::providers::whop::wire::user::{Access, User};

impl Client {
    /// Whom the key or token belongs to.
    pub async fn me(&self) -> Result<User, WhopError> {
        self.ask(Call::get("users.me", "users/me")).await
    }

    /// By id or by user name.
    pub async fn user(&self, id: &str) -> Result<User, WhopError> {
        self.ask(Call::get("users.get", format!("users/{}", segment(id)?))).await
    }

    /// Whether somebody may use an account, a product or an experience.
    pub async fn access(&self, user_id: &str, resource_id: &str) -> Result<Access, WhopError> {
        let path = format!("users/{}/access/{}", segment(user_id)?, segment(resource_id)?);
        self.ask(Call::get("users.access", path)).await
    }
}
