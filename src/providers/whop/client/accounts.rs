//! The account that the key belongs to (Whop API, accounts).

use super::{Call, Client};
use crate::providers::whop::error::WhopError;
use crate::providers::whop::wire::account::Account;

impl Client {
    pub async fn own_account(&self) -> Result<Account, WhopError> {
        self.ask(Call::get("accounts.me", "accounts/me")).await
    }
}
