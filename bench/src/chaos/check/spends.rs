//! I8 and I9: the spenders' journals against the ledger, both ways.

use std::collections::HashMap;

use anyhow::Result;
use sqlx::PgPool;
use sqlx::types::Uuid;

use super::Findings;
use crate::chaos::spends::{Answer, Spend};

#[derive(Debug, sqlx::FromRow)]
struct Kept {
    id: Uuid,
    key: String,
    owner: Uuid,
    net: i64,
    balance_after: i64,
}

const ONCE: &str = "I8 a spend that was answered 200 is in the ledger, once";
const NEVER: &str = "I8 a spend that was refused is not in the ledger";
const TOLD: &str = "I9 what nobody knew is told truly afterwards";
const ODD: &str = "I15 no answer that nobody should get";

pub async fn check(owner: &PgPool, journal: &[Spend], findings: &mut Findings) -> Result<()> {
    let rows: Vec<Kept> = sqlx::query_as(
        "select t.id, t.key, wallet.owner_id as owner, t.net, t.balance_after
        from credit_transactions t join credit_accounts wallet on wallet.id = t.account_id where t.kind = 'spend'",
    )
    .fetch_all(owner)
    .await?;
    let mut kept: HashMap<String, Vec<Kept>> = HashMap::new();
    for row in rows {
        kept.entry(row.key.clone()).or_default().push(row);
    }
    for spend in journal {
        one(spend, &kept.remove(&spend.key).unwrap_or_default(), findings);
    }
    for key in kept.into_keys() {
        findings.add("I8 nothing was spent that nobody asked for", key);
    }
    Ok(())
}

fn one(spend: &Spend, rows: &[Kept], findings: &mut Findings) {
    let key = &spend.key;
    let last = spend.told_at_last.as_ref().or(spend.answers.last());
    for answer in spend.answers.iter().chain(&spend.told_at_last).chain(&spend.misused) {
        if let Answer::Odd(what) = answer {
            findings.add(ODD, format!("{key}: {what}"));
        }
    }
    if rows.len() > 1 {
        findings.add(ONCE, format!("{key} is there {} times", rows.len()));
    }
    let row = rows.first();
    for answer in spend.answers.iter().chain(&spend.told_at_last) {
        if let Answer::Done { transaction, balance, .. } = answer {
            let fits = row.is_some_and(|row| {
                (row.id, row.owner, row.net, row.balance_after) == (*transaction, spend.owner, -spend.credits, *balance)
            });
            if !fits {
                findings.add(
                    ONCE,
                    format!("{key}: answered {answer:?} for {} credits, the ledger has {row:?}", spend.credits),
                );
            }
        }
    }
    if let (Some(Answer::Refused(code)), Some(row)) = (last, row) {
        let invariant = if spend.told_at_last.is_some() { TOLD } else { NEVER };
        findings
            .add(invariant, format!("{key} was refused ({code}) of {:?}, but the ledger has {row:?}", spend.answers));
    }
    let is_first = |answer: &Answer| matches!(answer, Answer::Done { is_replay: false, .. });
    if spend.answers.iter().chain(&spend.told_at_last).filter(|answer| is_first(answer)).count() > 1 {
        findings.add(ONCE, format!("{key} was carried out twice, by its answers: {:?}", spend.answers));
    }
    match &spend.misused {
        None | Some(Answer::Unknown(_) | Answer::Odd(_)) => {}
        Some(Answer::Refused(code)) if code == "idempotency_key_reused" => {}
        Some(other) => {
            findings.add("I8 a key serves one request only", format!("{key} with another amount: {other:?}"));
        }
    }
}
