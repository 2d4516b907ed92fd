//! Who is asking. [`SignedIn`], and what is in [`roles`], are proofs: only this module makes them, from what the database says
//! now.

pub mod account;
pub mod apart;
pub mod confirm;
pub mod desk;
pub mod devices;
pub mod elsewhere;
pub mod email;
pub mod erase;
pub mod export;
pub mod fresh;
pub mod grants;
pub mod half;
pub mod identities;
pub mod links;
pub mod oauth;
pub mod password;
pub mod register;
pub mod reset;
pub mod roles;
pub mod second_factor;
pub mod sessions;
pub mod sign_in;

use domain::{Credits, PersonId, Provider};
use sqlx::PgExecutor;

pub use domain::Role;

use crate::ledger::balance::Balance;
use crate::{Context, Result};

/// Proof that somebody is signed in, and what every page shows of them.
#[derive(Debug, Clone)]
pub struct SignedIn {
    id: PersonId,
    email: Option<String>,
    claimed_email: Option<String>,
    name: String,
    role: Role,
    balance: Balance,
    orders_wait: bool,
    has_second_factor: bool,
    payment_path: Option<Provider>,
    daily_credits_max: Option<Credits>,
}

impl SignedIn {
    pub const fn id(&self) -> PersonId {
        self.id
    }

    /// Theirs, or while they have none, the one that they claim.
    pub fn email(&self) -> &str {
        self.email.as_deref().or(self.claimed_email()).unwrap_or_default()
    }

    /// Whether they have shown that [`SignedIn::email`] is theirs.
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

/// Whoever sent a request.
#[derive(Debug, Clone)]
pub enum Visitor {
    Nobody,
    /// Their role needs a second factor, and they have none yet: they may set one up, and nothing else.
    SettingUp(SignedIn),
    Person(SignedIn),
}

impl Visitor {
    pub const fn person(&self) -> Option<&SignedIn> {
        match self {
            Self::Nobody | Self::SettingUp(_) => None,
            Self::Person(person) => Some(person),
        }
    }
}

impl Visitor {
    /// Whose session says `id`, and what they may do in it.
    pub async fn of(ctx: &Context, id: PersonId) -> Result<Self> {
        Ok(match load(&ctx.db, id).await? {
            None => Self::Nobody,
            Some(person) if second_factor::is_required(ctx, person.role()) && !person.has_second_factor() => {
                Self::SettingUp(person)
            }
            Some(person) => Self::Person(person),
        })
    }

    /// Whoever is signed in, be it only to set up their second factor.
    pub const fn anybody(&self) -> Option<&SignedIn> {
        match self {
            Self::Nobody => None,
            Self::SettingUp(person) | Self::Person(person) => Some(person),
        }
    }
}

/// The person whose session says `id`. Role and balance are read anew each time, so that a change bites at once.
pub async fn load(db: impl PgExecutor<'_>, id: PersonId) -> Result<Option<SignedIn>> {
    let row = sqlx::query!(
        r#"select person.email, person.claimed_email, person.name, person.role as "role: Role",
            person.payment_path as "payment_path: Provider", person.daily_credits_max as "daily_credits_max: Credits",
            wallet.posted as "posted: Credits",
            wallet.held as "held: Credits", wallet.debt as "debt: Credits",
            exists (
                select from credit_orders o
                where o.buyer_id = person.id and o.state in ('processing', 'under_review', 'requested')
            ) as "orders_wait!",
            exists (
                select from second_factors factor where factor.person_id = person.id and factor.on_since is not null
            ) as "has_second_factor!"
        from user_profiles person
        join credit_accounts wallet on wallet.owner_id = person.id and wallet.kind = 'wallet'
        where person.id = $1 and person.deleted_at is null"#,
        id as PersonId,
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(SignedIn {
        id,
        email: row.email,
        claimed_email: row.claimed_email,
        name: row.name,
        role: row.role,
        balance: Balance { posted: row.posted, held: row.held, debt: row.debt },
        orders_wait: row.orders_wait,
        has_second_factor: row.has_second_factor,
        payment_path: row.payment_path,
        daily_credits_max: row.daily_credits_max,
    }))
}

/// Whose email this is.
pub async fn find(db: impl PgExecutor<'_>, email: &str) -> Result<Option<PersonId>> {
    let email = email.trim().to_lowercase().replace('\0', " ");
    Ok(sqlx::query_scalar!(r#"select id as "id: PersonId" from user_profiles where email = $1"#, email)
        .fetch_optional(db)
        .await?)
}
