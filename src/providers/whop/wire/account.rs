//! The account that a key belongs to (Whop API, accounts).

use serde::Deserialize;

use super::lenient;

#[derive(Debug, Clone, Deserialize)]
pub struct Account {
    pub id: String,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub title: Option<String>,
}
