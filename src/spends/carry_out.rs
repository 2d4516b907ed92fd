//! One batch: who asks, what the ledger says, commit.

use std::collections::HashMap;

use domain::TransactionId;
use sqlx::PgConnection;

use super::Admitted;
use super::request::Request;
use crate::api_keys::resolve::resolve;
use crate::api_keys::secret::KeyHash;
use crate::api_keys::{ApiCaller, Scope};
use crate::ledger::spend::{Spend, spend_batch};
use crate::ledger::{Key, Moved};
use crate::{Context, Error, Refusal, Result};

/// All in one transaction, or none. Each is answered by itself.
pub(super) async fn carry_out(ctx: &Context, batch: &[Admitted]) -> Result<Vec<Result<Moved>>> {
    let mut tx = ctx.db.begin().await?;
    let hashes: Vec<KeyHash> = distinct(batch.iter().map(|admitted| admitted.request.caller));
    let callers = resolve(&mut tx, ctx.now(), &hashes).await?;
    let mut spends = Vec::with_capacity(batch.len());
    let allowed: Vec<Result<()>> =
        batch.iter().map(|admitted| booking(&admitted.request, &callers).map(|spend| spends.push(spend))).collect();
    let mut moved = spend_batch(&mut tx, &spends).await?;
    refuse_other_descriptions(&mut tx, &spends, &mut moved).await?;
    tx.commit().await?;

    let mut moved = moved.into_iter();
    let answer = |allowed: Result<()>| {
        allowed?;
        Ok(moved.next().ok_or_else(|| Error::broken("the ledger left a spend unanswered"))??)
    };
    Ok(allowed.into_iter().map(answer).collect())
}

/// The request as the ledger takes it, if its caller may ask for it.
fn booking(request: &Request, callers: &HashMap<KeyHash, ApiCaller>) -> Result<Spend> {
    let caller = callers.get(&request.caller).ok_or(Refusal::UnknownApiKey)?;
    caller.may(Scope::Spend)?;
    let scope = format!("api:{}", caller.id());
    Ok(Spend {
        key: Key::new(scope.clone(), request.key.as_str()),
        from: request.usage.owner,
        credits: request.usage.credits,
        counter: caller.counter().to_owned(),
        actor: scope,
        description: request.usage.description.clone().unwrap_or_else(|| caller.name().to_owned()),
    })
}

/// The ledger compares what moves credits. To the caller the description is part of the request as well: another one
/// under the same key is another request.
async fn refuse_other_descriptions(
    tx: &mut PgConnection,
    spends: &[Spend],
    moved: &mut [Result<Moved, Refusal>],
) -> Result<()> {
    let replayed =
        |moved: &Result<Moved, Refusal>| moved.ok().filter(|moved| moved.replayed).map(|moved| moved.transaction);
    let repeats: Vec<TransactionId> = moved.iter().filter_map(replayed).collect();
    if repeats.is_empty() {
        return Ok(());
    }
    let said: HashMap<TransactionId, String> = sqlx::query!(
        r#"select id as "id: TransactionId", description from credit_transactions where id = any($1)"#,
        &repeats as &[TransactionId],
    )
    .fetch_all(tx)
    .await?
    .into_iter()
    .map(|row| (row.id, row.description))
    .collect();
    for (spend, moved) in spends.iter().zip(moved) {
        let first = replayed(moved).and_then(|transaction| said.get(&transaction));
        if first.is_some_and(|first| *first != spend.description) {
            *moved = Err(Refusal::KeyUsedForAnotherRequest);
        }
    }
    Ok(())
}

fn distinct(hashes: impl Iterator<Item = KeyHash>) -> Vec<KeyHash> {
    hashes.collect::<std::collections::HashSet<_>>().into_iter().collect()
}
