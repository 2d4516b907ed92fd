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
pub mod owner;
pub mod password;
pub mod register;
pub mod reset;
pub mod roles;
pub mod second_factor;
pub mod sessions;
pub mod sign_in;
pub mod viewing;

use std::ops::Deref;

use domain::{Credits, PersonId, Provider};
use sqlx::PgExecutor;

pub use domain::Role;

pub use self::owner::Owner;
use self::viewing::{Noted, Viewing};
use crate::ledger::balance::Balance;
use crate::{Context, Result};

/// Proof that somebody is signed in. What changes something of theirs takes it; what only reads takes the [`Owner`] in it.
#[derive(Debug, Clone)]
pub struct SignedIn(Owner);

impl Deref for SignedIn {
    type Target = Owner;

    fn deref(&self) -> &Owner {
        &self.0
    }
}

/// Whoever sent a request.
#[derive(Debug, Clone)]
pub enum Visitor {
    Nobody,
    /// Their role needs a second factor, and they have none yet: they may set one up, and nothing else.
    SettingUp(SignedIn),
    Person(SignedIn),
    /// An admin who looks at somebody's pages. Nobody is signed in for whatever changes something.
    Viewing(Viewing),
    /// The same, when that is over: nothing but the end of it is for them, so that no form of those pages acts for their own
    /// account.
    DoneViewing(PersonId),
}

impl Visitor {
    /// Whose session says `id`, and what they may do in it; `session` is its [`sessions::id_hash`].
    pub async fn of(ctx: &Context, id: PersonId, session: [u8; 32]) -> Result<Self> {
        let Some((owner, noted)) = find_with_viewing(&ctx.db, id, Some(session)).await? else {
            return Ok(Self::Nobody);
        };
        let person = SignedIn(owner);
        let setting_up = second_factor::is_required(ctx, person.role()) && !person.has_second_factor();
        match noted {
            Some(noted) => viewing::resume(ctx, Some(person).filter(|_| !setting_up), noted).await,
            None if setting_up => Ok(Self::SettingUp(person)),
            None => Ok(Self::Person(person)),
        }
    }

    pub const fn person(&self) -> Option<&SignedIn> {
        match self {
            Self::Nobody | Self::SettingUp(_) | Self::Viewing(_) | Self::DoneViewing(_) => None,
            Self::Person(person) => Some(person),
        }
    }

    /// Whoever is signed in, be it only to set up their second factor.
    pub const fn anybody(&self) -> Option<&SignedIn> {
        match self {
            Self::Nobody | Self::Viewing(_) | Self::DoneViewing(_) => None,
            Self::SettingUp(person) | Self::Person(person) => Some(person),
        }
    }

    /// Whose pages are drawn: their own, or those that they look at.
    pub fn owner(&self) -> Option<&Owner> {
        match self {
            Self::Nobody | Self::SettingUp(_) | Self::DoneViewing(_) => None,
            Self::Person(person) => Some(person),
            Self::Viewing(viewing) => Some(viewing.owner()),
        }
    }
}

/// The person whose session says `id`. Role and balance are read anew each time, so that a change bites at once.
pub async fn load(db: impl PgExecutor<'_>, id: PersonId) -> Result<Option<SignedIn>> {
    Ok(find_with_viewing(db, id, None).await?.map(|(owner, _)| SignedIn(owner)))
}

/// A person, and whose pages a session of theirs looks at.
async fn find_with_viewing(
    db: impl PgExecutor<'_>,
    id: PersonId,
    session: Option<[u8; 32]>,
) -> Result<Option<(Owner, Option<Noted>)>> {
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
            ) as "has_second_factor!",
            session.viewing_id as "viewing_id?: PersonId", session.viewing_until as "viewing_until?"
        from user_profiles person
        join credit_accounts wallet on wallet.owner_id = person.id and wallet.kind = 'wallet'
        left join sessions session on session.id_hash = $2 and session.person_id = person.id
        where person.id = $1 and person.deleted_at is null"#,
        id as PersonId,
        session.as_ref().map(|hash| &hash[..]),
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let owner = Owner {
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
    };
    Ok(Some((owner, row.viewing_id.zip(row.viewing_until).map(|(whose, until)| Noted { whose, until }))))
}

/// Whose email this is.
pub async fn find(db: impl PgExecutor<'_>, email: &str) -> Result<Option<PersonId>> {
    let email = email.trim().to_lowercase().replace('\0', " ");
    Ok(sqlx::query_scalar!(r#"select id as "id: PersonId" from user_profiles where email = $1"#, email)
        .fetch_optional(db)
        .await?)
}
