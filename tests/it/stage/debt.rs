//! Debt, written as the kernel would: what a clawback of spent credits leaves behind.

use atlas::ids;
use atlas::people::SignedIn;

use super::Stage;

impl Stage {
    /// Books a debt, as a clawback of spent credits will; the kernel has no door for it yet.
    pub async fn owes(&self, buyer: &SignedIn, credits: i64) {
        let mut tx = self.owner.begin().await.unwrap();
        let transaction = ids::fresh();
        let (account, posted, debt, seq): (i64, i64, i64, i64) = sqlx::query_as(
            "update credit_accounts set debt = debt + $2, seq = seq + 1 where owner_id = $1 returning id, posted, debt, seq",
        )
        .bind(buyer.id())
        .bind(credits)
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        sqlx::query(
            "insert into credit_transactions (id, account_id, kind, scope, key, request_hash, net, debt_change,
                balance_after, debt_after, last_seq, actor, description)
            values ($1, $2, 'clawback', 'test', $1::text, '', 0, $3, $4, $5, $6, 'test', 'Taken back')",
        )
        .bind(transaction)
        .bind(account)
        .bind(credits)
        .bind(posted)
        .bind(debt)
        .bind(seq)
        .execute(&mut *tx)
        .await
        .unwrap();
        sqlx::query(
            "insert into credit_entries (transaction_id, line, account_id, counter_id, bucket, amount, account_seq, balance_after)
            values ($1, 1, $2, (select id from credit_accounts where code = 'clawed'), 'debt', $3, $4, $5)",
        )
        .bind(transaction)
        .bind(account)
        .bind(credits)
        .bind(seq)
        .bind(debt)
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }
}
