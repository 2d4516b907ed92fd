//! Whoever owns what a page shows. With it everything of theirs can be read and nothing be changed: that takes a [`SignedIn`],
//! and nobody who merely looks at somebody's pages has one of theirs ([`super::viewing`]).
//!
//! [`SignedIn`]: super::SignedIn

use domain::{Credits, PersonId, Provider, Role};

use crate::ledger::balance::Balance;

/// What every page shows of a person, as the database said a moment ago.
#[derive(Debug, Clone)]
pub struct Owner {
    pub(super) id: PersonId,
    pub(super) email: Option<String>,
    pub(super) claimed_email: Option<String>,
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) balance: Balance,
    pub(super) orders_wait: bool,
    pub(super) has_second_factor: bool,
    pub(super) payment_path: Option<Provider>,
    pub(super) daily_credits_max: Option<Credits>,
}

impl Owner {
    pub const fn id(&self) -> PersonId {
        self.id
    }

    /// Theirs, or while they have none, the one that they claim.
    pub fn email(&self) -> &str {
        self.email.as_deref().or(self.claimed_email()).unwrap_or_default()
    }

    /// Whether they have shown that [`Owner::email`] is theirs.
    pub const fn email_is_confirmed(&self) -> bool {
        self.email.is_some()
    }

    /// What they say is their address, now or next, and have not shown yet.
    pub fn claimed_email(&self) -> Option<&str> {
        self.claimed_email.as_deref()
    }

    /// Their name, or their email while they gave none.
    pub fn display_name(&self) -> &str {
        if self.name.is_empty() { self.email() } else { &self.name }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub const fn role(&self) -> Role {
        self.role
    }

    /// Whose checkout they get, whatever holds for others; none: as for everybody.
    pub const fn payment_path(&self) -> Option<Provider> {
        self.payment_path
    }

    /// How much they may buy in any 24 hours; none: as they like.
    pub const fn daily_credits_max(&self) -> Option<Credits> {
        self.daily_credits_max
    }

    /// Whether signing in takes a code beside their password.
    pub const fn has_second_factor(&self) -> bool {
        self.has_second_factor
    }

    /// Credits they could spend when this was read.
    pub const fn available(&self) -> Credits {
        self.balance.available()
    }

    /// What was in their wallet when this was read.
    pub const fn balance(&self) -> Balance {
        self.balance
    }

    /// Whether [`crate::orders::list::unfinished`] had anything to list when this was read; mostly it has not.
    pub const fn orders_wait(&self) -> bool {
        self.orders_wait
    }
}
