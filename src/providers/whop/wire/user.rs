//! People at Whop, and what they have access to (Whop API, users).

use serde::Deserialize;

use super::{lenient, open_words};

open_words! {
    AccessLevel { NoAccess = "no_access", Admin = "admin", Customer = "customer" }
}

#[derive(Debug, Clone, Deserialize)]
pub struct User {
    pub id: String,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub username: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Access {
    pub has_access: bool,
    #[serde(default, deserialize_with = "lenient::optional")]
    pub access_level: Option<AccessLevel>,
}
