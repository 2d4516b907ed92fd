//! Doors to the kernel for tests: each call is one committed transaction.

use atlas::ledger::Key;
use atlas::ledger::grant::{Grant, PaymentKey, grant_batch};
use atlas::ledger::hold::{Capture, Ended, Held, Reserve, capture, release, reserve};
use atlas::ledger::take_back::{TakeBack, TakenBack, take_back_batch};
use atlas::people::SignedIn;
use atlas::{Refusal, Result, ids};
use domain::ledger::LotSource;
use domain::{Credits, HoldId, Money, OrderId, Provider};
use sqlx::PgConnection;

use super::{Stage, promo};

impl Stage {
    /// Carries out `work` in one transaction, committed when it succeeds.
    pub async fn commits<T>(&self, work: impl AsyncFnOnce(&mut PgConnection) -> Result<T>) -> Result<T> {
        let mut tx = self.ctx.db.begin().await?;
        let done = work(&mut tx).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// A paid order and its payment, as settling writes them, with the lot granted for it.
    pub async fn bought(&self, buyer: &SignedIn, payment: &str, credits: i64) {
        let request = self.purchase(buyer, payment, credits).await;
        let answers = self.commits(async |tx| grant_batch(tx, &[request]).await).await.unwrap();
        self.settled(payment, answers[0].unwrap().transaction.uuid()).await;
    }

    /// The grant for a payment that was just collected, for an order of as many credits.
    pub async fn purchase(&self, buyer: &SignedIn, payment: &str, credits: i64) -> Grant {
        let order = OrderId::from_uuid(ids::fresh());
        sqlx::query(
            "insert into credit_orders (id, buyer_id, key, plan_version_id, plan_name, credits, price_minor, currency, provider, state)
            select $1, $2, $1::text, (select id from plan_versions order by id limit 1), 'Test', $3, 100, 'usd', 'whop', 'paid'",
        )
        .bind(order)
        .bind(buyer.id())
        .bind(credits)
        .execute(&self.owner)
        .await
        .unwrap();
        sqlx::query(
            "insert into payments (provider, payment_id, order_id, buyer_id, state, amount_minor, currency)
            values ('whop', $1, $2, $3, 'succeeded', 100, 'usd')",
        )
        .bind(payment)
        .bind(order)
        .bind(buyer.id())
        .execute(&self.owner)
        .await
        .unwrap();
        Grant {
            key: Key::new("whop:payment", payment),
            counter: "sales:whop",
            source: LotSource::Purchase,
            order: Some(order),
            paid: Some((PaymentKey { provider: Provider::Whop, id: payment.to_owned() }, Money::usd(100))),
            ..promo(buyer, credits)
        }
    }

    /// Notes on the payment which transaction granted it.
    pub async fn settled(&self, payment: &str, transaction: uuid::Uuid) {
        sqlx::query("update payments set granted_by = $2 where payment_id = $1")
            .bind(payment)
            .bind(transaction)
            .execute(&self.owner)
            .await
            .unwrap();
    }

    /// Brings one payment to a level.
    pub async fn takes_back(&self, payment: &str, taken: i64, frozen: i64) -> Result<TakenBack, Refusal> {
        let level = level(payment, taken, frozen);
        self.commits(async |tx| take_back_batch(tx, &[level]).await).await.unwrap().remove(0)
    }

    pub async fn reserves(&self, request: &Reserve) -> Result<Held, Refusal> {
        self.commits(async |tx| reserve(tx, std::slice::from_ref(request)).await).await.unwrap().remove(0)
    }

    pub async fn captures(&self, hold: HoldId, credits: i64) -> Result<Ended, Refusal> {
        let request = captured(hold, credits);
        self.commits(async |tx| capture(tx, &[request]).await).await.unwrap().remove(0)
    }

    pub async fn releases(&self, hold: HoldId) -> Result<Ended, Refusal> {
        self.commits(async |tx| release(tx, &[hold]).await).await.unwrap().remove(0)
    }

    /// Waits until all that was booked here lies below every transaction still running in the cluster, other tests' too:
    /// then it can be sealed.
    pub async fn rests(&self) {
        let moving = "select count(*) from credit_transactions
            where xid >= pg_snapshot_xmin(pg_current_snapshot()) and xid < '1000000000'";
        for _ in 0..100_000 {
            if self.count(moving).await == 0 {
                return;
            }
        }
        panic!("a transaction in the cluster does not end");
    }

    /// Posted, held and debt.
    pub async fn stands(&self, buyer: &SignedIn) -> (i64, i64, i64) {
        let balance = self.balance(buyer).await;
        (balance.posted.get(), balance.held.get(), balance.debt.get())
    }

    /// What is left and what is held in each lot, in the order in which they were made.
    pub async fn lots(&self, buyer: &SignedIn) -> Vec<(i64, i64)> {
        sqlx::query_as(
            "select remaining, held from credit_lots
            where account_id = (select id from credit_accounts where owner_id = $1) order by id",
        )
        .bind(buyer.id())
        .fetch_all(&self.ctx.db)
        .await
        .unwrap()
    }

    /// Lets time pass a lot by, for tests can't wait for the database's clock.
    pub async fn outdates_lots(&self, source: LotSource) {
        sqlx::query("update credit_lots set expires_at = now() - interval '1 day' where source = $1")
            .bind(source)
            .execute(&self.owner)
            .await
            .unwrap();
    }

    pub async fn outdates(&self, hold: HoldId) {
        sqlx::query("update credit_holds set expires_at = now() - interval '1 day' where id = $1")
            .bind(hold)
            .execute(&self.owner)
            .await
            .unwrap();
    }
}

pub fn level(payment: &str, taken: i64, frozen: i64) -> TakeBack {
    TakeBack {
        payment: PaymentKey { provider: Provider::Whop, id: payment.to_owned() },
        taken: Credits::new(taken),
        frozen: Credits::new(frozen),
        actor: "test".to_owned(),
        description: "Refunded".to_owned(),
    }
}

/// A reservation under its own key, without an end.
pub fn reservation(from: &SignedIn, credits: i64) -> Reserve {
    Reserve {
        key: Key::new("test", ids::fresh().to_string()),
        from: from.id(),
        credits: Credits::new(credits),
        expires_at: None,
    }
}

pub fn captured(hold: HoldId, credits: i64) -> Capture {
    Capture {
        hold,
        credits: Credits::new(credits),
        counter: "consumed:app",
        actor: "test".to_owned(),
        description: "Used".to_owned(),
    }
}
