//! People as those who look after them see them: found by what they type into a ticket, and one of them whole.

use std::collections::HashMap;

use domain::ledger::LotSource;
use domain::{Credits, OrderId, PersonId, Provider};
use sqlx::PgExecutor;
use time::OffsetDateTime;

use super::Role;
use super::roles::{Admin, Support};
use crate::ledger::balance::Balance;
use crate::{Error, Result};

pub const FOUND_MAX: i64 = 50;
const LOTS_MAX: i64 = 50;
const HOLDS_MAX: i64 = 50;

/// One person in the list.
#[derive(Debug, Clone)]
pub struct Found {
    pub id: PersonId,
    pub known_as: String,
    pub name: String,
    pub role: Role,
    /// In the wallet, held ones included.
    pub posted: Credits,
    pub debt: Credits,
    pub since: OffsetDateTime,
}

/// One person, with what support is asked about.
#[derive(Debug, Clone)]
pub struct Profile {
    pub id: PersonId,
    pub known_as: String,
    pub name: String,
    pub role: Role,
    pub since: OffsetDateTime,
    pub left_at: Option<OffsetDateTime>,
    pub email_is_confirmed: bool,
    pub has_second_factor: bool,
    pub balance: Balance,
    /// Whose checkout they get, whatever holds for others.
    pub payment_path: Option<Provider>,
    /// At most so many credits in orders of any 24 hours.
    pub daily_credits_max: Option<Credits>,
    pub lots: Vec<Lot>,
}

/// Credits of one origin that are not used up.
#[derive(Debug, Clone)]
pub struct Lot {
    pub source: LotSource,
    pub remaining: Credits,
    pub held: Credits,
    pub expires_at: Option<OffsetDateTime>,
    pub order: Option<OrderId>,
}

/// Credits that are held for something under way.
#[derive(Debug, Clone)]
pub struct Hold {
    pub credits: Credits,
    /// Who holds them, as it names itself in its keys.
    pub holder: String,
    pub since: OffsetDateTime,
    /// None: until it is ended.
    pub expires_at: Option<OffsetDateTime>,
}

/// What is held in somebody's wallet, the oldest first, at most 50.
pub async fn holds(db: impl PgExecutor<'_>, _: &Support, id: PersonId) -> Result<Vec<Hold>> {
    Ok(sqlx::query_as!(
        Hold,
        r#"select hold.amount as "credits: Credits", hold.scope as holder, hold.created_at as since, hold.expires_at
        from credit_accounts wallet join credit_holds hold on hold.account_id = wallet.id and hold.state = 'open'
        where wallet.owner_id = $1 and wallet.kind = 'wallet' order by hold.created_at, hold.id limit $2"#,
        id as PersonId,
        HOLDS_MAX,
    )
    .fetch_all(db)
    .await?)
}

/// People whose address begins with `text`, or the one with this id; without a text the newest ones. At most [`FOUND_MAX`].
pub async fn search(db: impl PgExecutor<'_>, _: &Support, text: &str) -> Result<Vec<Found>> {
    let text = text.trim().to_lowercase().replace('\0', " ");
    let id: Option<PersonId> = text.parse().ok();
    let email = Some(text.as_str()).filter(|text| !text.is_empty() && id.is_none());
    Ok(sqlx::query_as!(
        Found,
        r#"with searched as materialized (
            select id from user_profiles where id = $1
            union (select id from user_profiles
                where $2::text is not null and email >= $2 and email < $2 || chr(1114111) order by email limit $3)
            union (select id from user_profiles
                where $2::text is not null and claimed_email >= $2 and claimed_email < $2 || chr(1114111)
                order by claimed_email limit $3)
            union (select id from user_profiles where $1::uuid is null and $2::text is null order by id desc limit $3)
        )
        select person.id as "id: PersonId", person.known_as as "known_as!", person.name, person.role as "role: Role",
            wallet.posted as "posted: Credits", wallet.debt as "debt: Credits", person.created_at as since
        from searched join user_profiles person using (id)
        join credit_accounts wallet on wallet.owner_id = person.id and wallet.kind = 'wallet'
        order by person.id desc limit $3"#,
        id as Option<PersonId>,
        email,
        FOUND_MAX,
    )
    .fetch_all(db)
    .await?)
}

/// What people of a list are known as.
pub async fn known_as(db: impl PgExecutor<'_>, _: &Admin, people: &[PersonId]) -> Result<HashMap<PersonId, String>> {
    let rows = sqlx::query!(
        r#"select id as "id: PersonId", person.known_as as "known_as!" from user_profiles person where id = any($1)"#,
        people as &[PersonId],
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.known_as)).collect())
}

/// How many have a payment path of their own (index `user_profiles_own_path`).
pub async fn count_set_apart(db: impl PgExecutor<'_>, _: &Support) -> Result<i64> {
    Ok(sqlx::query_scalar!(r#"select count(*) as "count!" from user_profiles where payment_path is not null"#)
        .fetch_one(db)
        .await?)
}

/// Them, the newest first, at most [`FOUND_MAX`].
pub async fn set_apart(db: impl PgExecutor<'_>, _: &Support) -> Result<Vec<Found>> {
    Ok(sqlx::query_as!(
        Found,
        r#"select person.id as "id: PersonId", person.known_as as "known_as!", person.name, person.role as "role: Role",
            wallet.posted as "posted: Credits", wallet.debt as "debt: Credits", person.created_at as since
        from user_profiles person
        join credit_accounts wallet on wallet.owner_id = person.id and wallet.kind = 'wallet'
        where person.payment_path is not null order by person.id desc limit $1"#,
        FOUND_MAX,
    )
    .fetch_all(db)
    .await?)
}

/// Errors: [`Error::NotFound`].
pub async fn profile(db: &sqlx::PgPool, _: &Support, id: PersonId) -> Result<Profile> {
    let row = sqlx::query!(
        r#"select person.known_as as "known_as!", person.name, person.role as "role: Role", person.created_at,
            person.deleted_at, person.email is not null as "confirmed!",
            exists (select from second_factors f where f.person_id = person.id and f.on_since is not null) as "factor!",
            wallet.posted as "posted: Credits", wallet.held as "held: Credits", wallet.debt as "debt: Credits",
            person.payment_path as "payment_path: Provider", person.daily_credits_max as "daily_credits_max: Credits"
        from user_profiles person
        join credit_accounts wallet on wallet.owner_id = person.id and wallet.kind = 'wallet'
        where person.id = $1"#,
        id as PersonId,
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::NotFound)?;
    let lots = sqlx::query_as!(
        Lot,
        r#"select lot.source as "source: LotSource", lot.remaining as "remaining: Credits", lot.held as "held: Credits",
            lot.expires_at, lot.order_id as "order: OrderId"
        from credit_lots lot join credit_accounts wallet on wallet.id = lot.account_id
        where wallet.owner_id = $1 and wallet.kind = 'wallet' and lot.is_open
        order by lot.priority, lot.expires_at, lot.id limit $2"#,
        id as PersonId,
        LOTS_MAX,
    )
    .fetch_all(db)
    .await?;
    Ok(Profile {
        id,
        known_as: row.known_as,
        name: row.name,
        role: row.role,
        since: row.created_at,
        left_at: row.deleted_at,
        email_is_confirmed: row.confirmed,
        has_second_factor: row.factor,
        balance: Balance { posted: row.posted, held: row.held, debt: row.debt },
        payment_path: row.payment_path,
        daily_credits_max: row.daily_credits_max,
        lots,
    })
}
