//! Keys with which applications come to us. [`ApiCaller`] is the proof that one did: only this module makes it, from
//! what the database says now.

pub mod activity;
pub mod create;
pub mod list;
pub mod reader;
pub mod resolve;
pub mod revoke;
pub mod secret;

use std::fmt;
use std::str::FromStr;

use domain::ApiKeyId;

use crate::{Error, Result};

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Taking credits from anybody's wallet.
    Spend,
    /// Reading everybody's orders, and the plans.
    Read,
}

impl Scope {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spend => "spend",
            Self::Read => "read",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        match word {
            "spend" => Ok(Self::Spend),
            "read" => Ok(Self::Read),
            other => Err(Error::broken(format!("unknown scope: {other}"))),
        }
    }
}

/// Proof that a request carries a key that is valid now, and whose it is.
#[derive(Debug, Clone)]
pub struct ApiCaller {
    id: ApiKeyId,
    name: String,
    counter: String,
    scopes: Vec<Scope>,
}

impl ApiCaller {
    pub const fn id(&self) -> ApiKeyId {
        self.id
    }

    /// The application, as whoever made the key called it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The system account that its spends are booked against.
    pub fn counter(&self) -> &str {
        &self.counter
    }

    /// Errors: [`Error::Forbidden`] when the key was not made for that.
    pub fn may(&self, scope: Scope) -> Result<()> {
        if self.scopes.contains(&scope) { Ok(()) } else { Err(Error::Forbidden) }
    }
}
