//! Every row that has one kind of damage, for whoever has to look at each.

use crate::legacy::damage::Damage;
use crate::legacy::run::long;
use crate::{Context, Result};

const ROWS_MAX: i64 = 100_000;

/// One damaged row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// The old table.
    pub table: String,
    /// Counts the table's rows from 1.
    pub place: i64,
    pub id: String,
    /// Whose it is: the old id of the profile.
    pub user_id: String,
    /// The credits that it says, where they could be read.
    pub credits: Option<i64>,
    /// Of a profile: what its transactions sum to.
    pub history: Option<i64>,
}

/// In the order of the source, at most 100,000.
pub async fn rows(ctx: &Context, damage: Damage) -> Result<Vec<Damaged>> {
    let mut tx = long(ctx).await?;
    let rows = sqlx::query_as!(
        Damaged,
        r#"select 'user_profiles' as "table!", place as "place!", id as "id!", id as "user_id!", credits, history
            from legacy_staged_people where $1 = any(faults || found)
        union all select 'credit_orders', place, id, user_id, credits, null
            from legacy_staged_orders where $1 = any(faults || found)
        union all select 'credit_transactions', place, id, user_id, amount, null
            from legacy_staged_transactions where $1 = any(faults || found)
        order by 1 desc, 2 limit $2"#,
        damage.code(),
        ROWS_MAX,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(rows)
}
