//! People, their wallets, and what these begin with.

use domain::ledger::LotSource;
use domain::{Credits, PersonId};
use sqlx::PgConnection;

use super::Batch;
use crate::ledger::Key;
use crate::ledger::grant::{Grant, grant_batch};
use crate::legacy::run::{Run, long};
use crate::legacy::{COUNTER, SCOPE};
use crate::{Context, Error, Result};

/// The kernel's work for a batch grows faster than the batch.
const AT_ONCE: i64 = 1_000;

/// A profile that was imported just now.
struct Came {
    legacy_id: String,
    person: PersonId,
    balance: Credits,
}

/// Imports the profiles after a place. None: there are no more.
pub(super) async fn batch(ctx: &Context, run: &Run, after: i64) -> Result<Option<Batch>> {
    let mut tx = long(ctx).await?;
    let upto = sqlx::query_scalar!(
        "select max(place) from (select place from legacy_staged_people where place > $1 order by place limit $2) batch",
        after,
        AT_ONCE,
    )
    .fetch_one(&mut *tx)
    .await?;
    let Some(upto) = upto else { return Ok(None) };
    make(&mut tx, run, after, upto).await?;
    let came = note(&mut tx, run, after, upto).await?;
    let lots = open(&mut tx, &came).await?;
    sqlx::query!("update legacy_runs set people_upto = $2 where id = $1", run.id, upto).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(Some(Batch { upto, written: came.len() as u64, lots }))
}

/// Nobody knows their password, so they have none: they set one by a link to their address. Who has no address claims one that
/// no mail reaches (RFC 2606), for others have to call them something.
async fn make(tx: &mut PgConnection, run: &Run, after: i64, upto: i64) -> Result<()> {
    let made = sqlx::query_scalar!(
        r#"insert into user_profiles (id, email, claimed_email, name, password_hash, created_at)
        select person_id, email, case when email is null then person_id || '@address.invalid' end, name, '',
            coalesce(created_at, $3)
        from legacy_staged_people where place > $1 and place <= $2 and treatment = 'new' order by place
        on conflict do nothing returning id as "id: PersonId""#,
        after,
        upto,
        run.now,
    )
    .fetch_all(&mut *tx)
    .await?;
    let wallets = sqlx::query_scalar!(
        r#"select count(credits_open_wallet(id)) as "wallets!" from unnest($1::uuid[]) as made (id)"#,
        &made as &[PersonId],
    );
    wallets.fetch_one(tx).await?;
    Ok(())
}

async fn note(tx: &mut PgConnection, run: &Run, after: i64, upto: i64) -> Result<Vec<Came>> {
    Ok(sqlx::query_as!(
        Came,
        r#"insert into legacy_people (legacy_id, person_id, balance, imported_at)
        select id, person_id, opening, $3 from legacy_staged_people
        where place > $1 and place <= $2 and treatment in ('new', 'linked', 'merged') order by place
        on conflict do nothing
        returning legacy_id, person_id as "person: PersonId", balance as "balance: Credits""#,
        after,
        upto,
        run.now,
    )
    .fetch_all(tx)
    .await?)
}

async fn open(tx: &mut PgConnection, came: &[Came]) -> Result<u64> {
    let grants: Vec<Grant> = came
        .iter()
        .filter(|came| came.balance > Credits::ZERO)
        .map(|came| Grant {
            transaction: None,
            key: Key::new(SCOPE, &came.legacy_id),
            to: came.person,
            credits: came.balance,
            counter: COUNTER,
            source: LotSource::Manual,
            expires_at: None,
            order: None,
            paid: None,
            actor: "system".to_owned(),
            description: "Balance brought over from before the move".to_owned(),
        })
        .collect();
    for (grant, answer) in grants.iter().zip(grant_batch(tx, &grants).await?) {
        answer.map_err(|refusal| Error::broken(format!("the balance of profile {}: {refusal}", grant.key.key)))?;
    }
    Ok(grants.len() as u64)
}
