//! Proofs of what somebody may do. Whoever holds one was asked about in the database during this request; a verb that wants
//! one in its signature can't be called without (T40).

pub mod change;

use domain::Role;

use super::SignedIn;
use crate::audit::{By, Origin, Who};
use crate::{Error, Result};

macro_rules! proof {
    ($(#[$doc:meta])* $name:ident: $role:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name(SignedIn);

        impl $name {
            /// Errors: [`Error::NotFound`]: for others it is as if there were nothing.
            pub fn prove(person: SignedIn) -> Result<Self> {
                if person.role() >= $role { Ok(Self(person)) } else { Err(Error::NotFound) }
            }

            pub const fn person(&self) -> &SignedIn {
                &self.0
            }

            /// For what leaves an entry in the audit.
            pub fn by<'a>(&self, origin: &'a Origin) -> By<'a> {
                By { who: Who::Person(self.0.id()), origin }
            }
        }
    };
}

proof! {
    /// May read what is everybody's, and moves no money.
    Support: Role::Support
}
proof! {
    /// May refund and export, beside what [`Support`] may.
    Finance: Role::Finance
}
proof! {
    /// May do everything there is.
    Admin: Role::Admin
}

/// Who may read everybody's orders: the staff, and programs with a key for it ([`crate::api_keys::reader`]).
pub trait ReadsOrders: sealed::Sealed + Send + Sync {}

/// Who may read the plans as they are kept: admins, and programs with a key for it.
pub trait ReadsPlans: sealed::Sealed + Send + Sync {}

/// Only proofs of ours are proofs.
pub(crate) mod sealed {
    pub trait Sealed {}
}

impl sealed::Sealed for Support {}
impl sealed::Sealed for Admin {}
impl ReadsOrders for Support {}
impl ReadsOrders for Admin {}
impl ReadsPlans for Admin {}
