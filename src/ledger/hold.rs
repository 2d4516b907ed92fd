//! Holding credits for something under way: reserved first, then captured up to that amount, or released.

use domain::{Credits, HoldId, PersonId, TransactionId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::Key;
use super::answer::{self, Answer};
use crate::{Refusal, Result, ids};

/// Credits to reserve.
#[derive(Debug, Clone)]
pub struct Reserve {
    pub key: Key,
    pub from: PersonId,
    /// From 1 to [`Credits::MAX`].
    pub credits: Credits,
    /// When it ends by itself, in the future. None: only by capture or release.
    pub expires_at: Option<OffsetDateTime>,
}

/// A hold to end with a capture.
#[derive(Debug, Clone)]
pub struct Capture {
    pub hold: HoldId,
    /// From 0 to what was reserved; the rest is released.
    pub credits: Credits,
    /// The system account it is booked against: `consumed:app`.
    pub counter: &'static str,
    pub actor: String,
    /// What the owner reads in the statement.
    pub description: String,
}

/// A hold, made now or by an earlier request under the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub hold: HoldId,
    pub replayed: bool,
}

/// How a hold ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// None: nothing was captured.
    pub transaction: Option<TransactionId>,
    pub replayed: bool,
    /// Change of the wallet's credits.
    pub net: Credits,
}

/// Reserves in one round trip, each in the order given. What is reserved can't be spent, and is not lost when its lots expire.
///
/// Errors: only when nothing could be decided. Refusals: [`Refusal::NotEnoughCredits`], [`Refusal::CreditsAreOwed`],
/// [`Refusal::KeyUsedForAnotherRequest`], [`Refusal::NoWallet`], [`Refusal::NotBookable`].
pub async fn reserve(tx: &mut PgConnection, reserves: &[Reserve]) -> Result<Vec<Result<Held, Refusal>>> {
    if reserves.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = reserves.iter().map(|_| ids::fresh()).collect();
    let scopes: Vec<_> = reserves.iter().map(|reserve| reserve.key.scope.clone()).collect();
    let keys: Vec<_> = reserves.iter().map(|reserve| reserve.key.key.clone()).collect();
    let owners: Vec<_> = reserves.iter().map(|reserve| reserve.from).collect();
    let credits: Vec<_> = reserves.iter().map(|reserve| reserve.credits).collect();
    let expiries: Vec<_> = reserves.iter().map(|reserve| reserve.expires_at).collect();
    let rows = sqlx::query_as!(
        Answer,
        r#"select outcome as "outcome!", transaction_id as "transaction: TransactionId", net as "net: Credits",
            debt_change as "debt_change: Credits", balance_after as "balance_after: Credits", debt_after as "debt_after: Credits"
        from credits_reserve_batch($1, $2, $3, $4, $5, $6) order by place"#,
        &ids,
        &scopes,
        &keys,
        &owners as &[PersonId],
        &credits as &[Credits],
        &expiries as &[Option<OffsetDateTime>],
    )
    .fetch_all(tx)
    .await?;
    answer::each(rows, reserves.len(), |answer, replayed| {
        let hold = HoldId::from_uuid(answer.transaction.ok_or_else(|| answer::without("a hold"))?.uuid());
        Ok(Held { hold, replayed })
    })
}

/// Captures in one round trip, each in the order given. The lots that the hold names pay, expired or not.
///
/// A hold ends once: the same capture again is replayed, another is [`Refusal::KeyUsedForAnotherRequest`], one of a hold that
/// was released or is past its end is [`Refusal::HoldHasEnded`], one beyond the amount [`Refusal::NotBookable`].
pub async fn capture(tx: &mut PgConnection, captures: &[Capture]) -> Result<Vec<Result<Ended, Refusal>>> {
    if captures.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = captures.iter().map(|_| ids::fresh()).collect();
    let holds: Vec<_> = captures.iter().map(|capture| capture.hold).collect();
    let credits: Vec<_> = captures.iter().map(|capture| capture.credits).collect();
    let counters: Vec<_> = captures.iter().map(|capture| capture.counter.to_owned()).collect();
    let actors: Vec<_> = captures.iter().map(|capture| capture.actor.clone()).collect();
    let descriptions: Vec<_> = captures.iter().map(|capture| capture.description.clone()).collect();
    let rows = sqlx::query_as!(
        Answer,
        r#"select outcome as "outcome!", transaction_id as "transaction: TransactionId", net as "net: Credits",
            debt_change as "debt_change: Credits", balance_after as "balance_after: Credits", debt_after as "debt_after: Credits"
        from credits_capture_batch($1, $2, $3, $4, $5, $6) order by place"#,
        &ids,
        &holds as &[HoldId],
        &credits as &[Credits],
        &counters,
        &actors,
        &descriptions,
    )
    .fetch_all(tx)
    .await?;
    answer::each(rows, captures.len(), ended)
}

/// Releases in one round trip. A hold that has ended without a capture is replayed, one that was captured is
/// [`Refusal::HoldHasEnded`].
pub async fn release(tx: &mut PgConnection, holds: &[HoldId]) -> Result<Vec<Result<Ended, Refusal>>> {
    if holds.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query_as!(
        Answer,
        r#"select outcome as "outcome!", transaction_id as "transaction: TransactionId", net as "net: Credits",
            debt_change as "debt_change: Credits", balance_after as "balance_after: Credits", debt_after as "debt_after: Credits"
        from credits_release_batch($1) order by place"#,
        holds as &[HoldId],
    )
    .fetch_all(tx)
    .await?;
    answer::each(rows, holds.len(), ended)
}

fn ended(answer: Answer, replayed: bool) -> Result<Ended> {
    let net = answer.net.ok_or_else(|| answer::without("what it captured"))?;
    Ok(Ended { transaction: answer.transaction, replayed, net })
}
