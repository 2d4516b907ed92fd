//! Whether what is here is what was read: counted and summed from the tables themselves, after an import.

use crate::legacy::SCOPE;
use crate::legacy::run::long;
use crate::{Context, Result};

/// What is here of the source, and what does not match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    pub people: i64,
    /// The balances of those people, as they were imported.
    pub balances: i64,
    pub lots: i64,
    /// What the ledger granted for them.
    pub granted: i64,
    pub orders: i64,
    pub transactions: i64,
    /// What these transactions sum to.
    pub history: i64,
    /// Empty when all is well.
    pub problems: Vec<String>,
}

/// Compares every row that was not left out with what stands here for it.
pub(super) async fn prove(ctx: &Context) -> Result<Proof> {
    let mut tx = long(ctx).await?;
    let people = sqlx::query!(
        r#"select count(known.legacy_id) as "people!", coalesce(sum(known.balance), 0)::bigint as "balances!",
            count(lot.id) as "lots!", coalesce(sum(lot.granted), 0)::bigint as "granted!",
            count(*) filter (where known.legacy_id is null) as "missing!",
            count(*) filter (where treatment <> 'there' and known.balance <> staged.opening) as "different!",
            count(*) filter (where known.balance <> coalesce(lot.granted, 0)
                or lot.id is not null and wallet.owner_id is distinct from known.person_id) as "unbooked!"
        from legacy_staged_people staged
        left join legacy_people known on known.legacy_id = staged.id
        left join credit_transactions t on t.scope = $1 and t.key = staged.id and t.kind = 'grant'
        left join credit_lots lot on lot.transaction_id = t.id
        left join credit_accounts wallet on wallet.id = t.account_id
        where staged.treatment is not null"#,
        SCOPE,
    )
    .fetch_one(&mut *tx)
    .await?;
    let orders = sqlx::query!(
        r#"select count(o.id) as "orders!", count(*) filter (where o.id is null or o.buyer_id <> known.person_id
            or o.credits <> staged.credits or o.key <> 'legacy:' || staged.id) as "different!"
        from legacy_staged_orders staged
        left join legacy_people known on known.legacy_id = staged.user_id
        left join credit_orders o on o.id = staged.own_id
        where not staged.unreadable and not staged.left_out"#
    )
    .fetch_one(&mut *tx)
    .await?;
    let history = sqlx::query!(
        r#"select count(told.legacy_id) as "transactions!", coalesce(sum(told.amount), 0)::text as "sum!",
            count(*) filter (where told.legacy_id is null or told.amount <> staged.amount
                or told.person_id <> known.person_id) as "different!"
        from legacy_staged_transactions staged
        left join legacy_people known on known.legacy_id = staged.user_id
        left join legacy_transactions told on told.legacy_id = staged.id
        where not staged.unreadable and not staged.left_out"#
    )
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    let problems = [
        (people.missing, "profiles are not here"),
        (people.different, "balances are others than those that were read"),
        (people.unbooked, "balances are not what the ledger granted"),
        (orders.different, "orders are not here as they were read"),
        (history.different, "transactions are not here as they were read"),
    ];
    Ok(Proof {
        people: people.people,
        balances: people.balances,
        lots: people.lots,
        granted: people.granted,
        orders: orders.orders,
        transactions: history.transactions,
        history: history.sum.parse().unwrap_or(i64::MAX),
        problems: problems
            .into_iter()
            .filter(|(rows, _)| *rows > 0)
            .map(|(rows, what)| format!("{rows} {what}"))
            .collect(),
    })
}
