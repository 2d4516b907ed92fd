//! Accounts elsewhere that people sign in with. Each is somebody's by issuer and subject; an e-mail address joins nothing, for
//! whoever gets hold of one there would be in here too.

use std::net::IpAddr;

use domain::PersonId;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

use super::fresh::Fresh;
use super::oauth::finish::Vouched;
use super::register::{self, Email};
use super::{Owner, SignedIn, grants};
use crate::audit::{self, About, By, Change, Origin, What, Who};
use crate::limits::{self, SIGN_UP_BY_ADDRESS};
use crate::{Context, Error, Refusal, Result, ids};

pub const LABEL_CHARS_MAX: usize = 80;

/// An account elsewhere, and whose it is.
#[derive(Debug, Clone)]
pub struct Known {
    pub person: SignedIn,
    pub identity: Uuid,
}

/// One of the person's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub id: Uuid,
    pub issuer: String,
    pub label: String,
    pub linked_at: OffsetDateTime,
}

/// How the person can get in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaysIn {
    pub password: bool,
    pub identities: Vec<Listed>,
}

pub async fn ways_in(db: impl PgExecutor<'_>, person: &Owner) -> Result<WaysIn> {
    let id = person.id();
    let rows = sqlx::query!(
        r#"select person.password_hash <> '' as "password!", identity.id as "id?", identity.issuer as "issuer?",
            identity.label as "label?", identity.linked_at as "linked_at?"
        from user_profiles person left join identities identity on identity.person_id = person.id
        where person.id = $1 order by identity.linked_at"#,
        id as PersonId,
    )
    .fetch_all(db)
    .await?;
    let password = rows.first().is_some_and(|row| row.password);
    let identities = rows
        .into_iter()
        .filter_map(|row| {
            Some(Listed { id: row.id?, issuer: row.issuer?, label: row.label?, linked_at: row.linked_at? })
        })
        .collect();
    Ok(WaysIn { password, identities })
}

/// Whoever this account belongs to. The first time somebody new is made for it.
///
/// Errors: [`Refusal::EmailHasAccount`] where somebody here has its address; they are never joined.
/// [`Refusal::NoVerifiedEmail`] where it has none that was verified there.
pub async fn sign_in(ctx: &Context, vouched: &Vouched, from: IpAddr, origin: &Origin) -> Result<Known> {
    if let Some(known) = find(ctx, vouched).await? {
        return Ok(known);
    }
    let email = vouched.verified_email.as_deref().and_then(|email| Email::parse("email", email).ok());
    let email = email.ok_or(Refusal::NoVerifiedEmail)?;
    limits::take(ctx, &SIGN_UP_BY_ADDRESS, &limits::by_address(from)).await?;
    let mut tx = ctx.db.begin().await?;
    let made = register::without_password(&mut tx, &email, origin).await?;
    let Some(person) = made else {
        drop(tx);
        // Somebody has the address, or this very account was made a moment ago in another window.
        return find(ctx, vouched).await?.ok_or_else(|| Refusal::EmailHasAccount.into());
    };
    let Some(identity) = add(&mut tx, ctx.now(), &person, vouched).await? else {
        return Err(Error::unavailable("an account elsewhere was taken by two at once"));
    };
    let by = By { who: Who::Person(person.id()), origin };
    let change = Change::none().noted("issuer", vouched.issuer.as_str()).noted("subject", vouched.subject.as_str());
    audit::record(&mut tx, &by.did(What::IdentityLinked, About::Person(person.id())).with(change)).await?;
    tx.commit().await?;
    Ok(Known { person, identity })
}

/// Lets the person sign in with this account from now on; again, where they could already.
///
/// Errors: [`Refusal::WhopAccountTaken`], [`Refusal::AlreadyLinked`] to another one.
pub async fn link(ctx: &Context, person: &SignedIn, vouched: &Vouched, origin: &Origin) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    if add(&mut tx, ctx.now(), person, vouched).await?.is_none() {
        drop(tx);
        return match find(ctx, vouched).await? {
            Some(known) if known.person.id() == person.id() => Ok(()),
            Some(_) => Err(Refusal::WhopAccountTaken.into()),
            None => Err(Refusal::AlreadyLinked.into()),
        };
    }
    let by = By { who: Who::Person(person.id()), origin };
    let change = Change::none().noted("issuer", vouched.issuer.as_str()).noted("subject", vouched.subject.as_str());
    audit::record(&mut tx, &by.did(What::IdentityLinked, About::Person(person.id())).with(change)).await?;
    tx.commit().await?;
    Ok(())
}

/// Whether this account is linked to the person.
pub async fn is_theirs(db: impl PgExecutor<'_>, person: &SignedIn, vouched: &Vouched) -> Result<bool> {
    let id = person.id();
    Ok(sqlx::query_scalar!(
        r#"select exists (
            select from identities where issuer = $1 and subject = $2 and person_id = $3
        ) as "theirs!""#,
        vouched.issuer,
        vouched.subject,
        id as PersonId,
    )
    .fetch_one(db)
    .await?)
}

/// Lets nobody sign in with it any more, and ends the sessions that were begun with it.
///
/// Errors: [`Refusal::LastWayIn`] for somebody without a password; [`Error::NotFound`].
pub async fn unlink(ctx: &Context, fresh: &Fresh, identity: Uuid, origin: &Origin) -> Result<()> {
    let person = fresh.person().id();
    let mut tx = ctx.db.begin().await?;
    let has_password = sqlx::query_scalar!(
        r#"select password_hash <> '' as "has!" from user_profiles where id = $1 for update"#,
        person as PersonId,
    )
    .fetch_one(&mut *tx)
    .await?;
    if !has_password {
        return Err(Refusal::LastWayIn.into());
    }
    grants::end_of_identity(&mut tx, ctx.now(), identity, fresh.person()).await?;
    let removed = sqlx::query!(
        "delete from identities where id = $1 and person_id = $2 returning issuer, subject",
        identity,
        person as PersonId,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Error::NotFound)?;
    let by = By { who: Who::Person(person), origin };
    let change = Change::none().noted("issuer", removed.issuer).noted("subject", removed.subject);
    audit::record(&mut tx, &by.did(What::IdentityUnlinked, About::Person(person)).with(change)).await?;
    tx.commit().await?;
    Ok(())
}

async fn find(ctx: &Context, vouched: &Vouched) -> Result<Option<Known>> {
    // What they are called there may change; who they are may not.
    let row = sqlx::query!(
        r#"with renamed as (
            update identities set label = $3 where issuer = $1 and subject = $2 and label <> $3
        )
        select id, person_id as "person_id: PersonId" from identities where issuer = $1 and subject = $2"#,
        vouched.issuer,
        vouched.subject,
        vouched.label,
    )
    .fetch_optional(&ctx.db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let person = super::load(&ctx.db, row.person_id).await?;
    Ok(person.map(|person| Known { person, identity: row.id }))
}

/// None: it is somebody's already, or the person has another one of this issuer.
async fn add(db: &mut PgConnection, now: OffsetDateTime, person: &SignedIn, vouched: &Vouched) -> Result<Option<Uuid>> {
    let (id, person) = (ids::fresh(), person.id());
    let added = sqlx::query!(
        "insert into identities (id, person_id, issuer, subject, label, linked_at) values ($1, $2, $3, $4, $5, $6)
        on conflict do nothing",
        id,
        person as PersonId,
        vouched.issuer,
        vouched.subject,
        vouched.label,
        now,
    )
    .execute(db)
    .await?;
    Ok((added.rows_affected() == 1).then_some(id))
}
