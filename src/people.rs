//! Who is asking. [`SignedIn`], and what is in [`roles`], are proofs: only this module makes them, from what the database says
//! now.

pub mod account;
pub mod confirm;
pub mod devices;
pub mod fresh;
pub mod password;
pub mod register;
pub mod roles;
pub mod sessions;
pub mod sign_in;

use domain::{Credits, PersonId};
use sqlx::PgExecutor;

pub use domain::Role;

use crate::Result;
use crate::ledger::balance::Balance;

/// Proof that somebody is signed in, and what every page shows of them.
#[derive(Debug, Clone)]
pub struct SignedIn {
    id: PersonId,
    email: String,
    name: String,
    role: Role,
    balance: Balance,
    orders_wait: bool,
}

impl SignedIn {
    pub const fn id(&self) -> PersonId {
        self.id
    }

    pub fn email(&self) -> &str {
        &self.email
    }

    /// Their name, or their email while they gave none.
    pub fn display_name(&self) -> &str {
        if self.name.is_empty() { &self.email } else { &self.name }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub const fn role(&self) -> Role {
        self.role
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

/// Whoever sent a request.
#[derive(Debug, Clone)]
pub enum Visitor {
    Nobody,
    Person(SignedIn),
}

impl Visitor {
    pub const fn person(&self) -> Option<&SignedIn> {
        match self {
            Self::Nobody => None,
            Self::Person(person) => Some(person),
        }
    }
}

/// The person whose session says `id`. Role and balance are read anew each time, so that a change bites at once.
pub async fn load(db: impl PgExecutor<'_>, id: PersonId) -> Result<Option<SignedIn>> {
    let row = sqlx::query!(
        r#"select person.email, person.name, person.role as "role: Role", wallet.posted as "posted: Credits",
            wallet.held as "held: Credits", wallet.debt as "debt: Credits",
            exists (
                select from credit_orders o
                where o.buyer_id = person.id and o.state in ('processing', 'under_review', 'requested')
            ) as "orders_wait!"
        from user_profiles person
        join credit_accounts wallet on wallet.owner_id = person.id and wallet.kind = 'wallet'
        where person.id = $1"#,
        id as PersonId,
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(SignedIn {
        id,
        email: row.email,
        name: row.name,
        role: row.role,
        balance: Balance { posted: row.posted, held: row.held, debt: row.debt },
        orders_wait: row.orders_wait,
    }))
}

/// Whose email this is.
pub async fn find(db: impl PgExecutor<'_>, email: &str) -> Result<Option<PersonId>> {
    let email = email.trim().to_lowercase();
    Ok(sqlx::query_scalar!(r#"select id as "id: PersonId" from user_profiles where email = $1"#, email)
        .fetch_optional(db)
        .await?)
}
