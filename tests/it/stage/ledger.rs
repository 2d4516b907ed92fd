//! Doors to the kernel for tests: each call is one committed transaction.

use atlas::ledger::Key;
use atlas::ledger::grant::{Grant, PaymentKey, grant_batch};
use atlas::ledger::hold::{Capture, Ended, Held, Reserve, capture, release, reserve};
use atlas::ledger::take_back::{Part, TakeBack, TakenBack, take_back_batch};
use atlas::people::SignedIn;
use atlas::{Refusal, Result, ids};
use domain::ledger::LotSource;
use domain::{Credits, HoldId, Money, OrderId, PersonId, Provider};
use sqlx::PgConnection;

use super::Stage;

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
        self.commits(async |tx| grant_batch(tx, &[request]).await).await.unwrap().remove(0).unwrap();
        self.settled(vec![payment.to_owned()]).await;
    }

    /// The grant for a payment that was just collected, for an order of as many credits.
    pub async fn purchase(&self, buyer: &SignedIn, payment: &str, credits: i64) -> Grant {
        self.purchases(&[(buyer.id(), payment.to_owned(), credits)]).await.remove(0)
    }

    /// The same for many: who paid, the payment's id, and the credits.
    pub async fn purchases(&self, bought: &[(PersonId, String, i64)]) -> Vec<Grant> {
        if bought.is_empty() {
            return Vec::new();
        }
        let orders: Vec<OrderId> = bought.iter().map(|_| OrderId::from_uuid(ids::fresh())).collect();
        sqlx::query(
            "with bought as (
                select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[]) as b (id, buyer, payment, credits)
            ), ordered as (
                insert into credit_orders (id, buyer_id, key, plan_version_id, plan_name, credits, price_minor, currency,
                    provider, state)
                select id, buyer, id::text, (select id from plan_versions order by id limit 1), 'Test', credits, 100, 'usd',
                    'whop', 'paid'
                from bought
            )
            insert into payments (provider, payment_id, order_id, buyer_id, state, amount_minor, currency)
            select 'whop', payment, id, buyer, 'succeeded', 100, 'usd' from bought",
        )
        .bind(&orders)
        .bind(bought.iter().map(|(buyer, ..)| *buyer).collect::<Vec<_>>())
        .bind(bought.iter().map(|(_, payment, _)| payment.clone()).collect::<Vec<_>>())
        .bind(bought.iter().map(|(.., credits)| *credits).collect::<Vec<_>>())
        .execute(&self.owner)
        .await
        .unwrap();
        let grant = |(order, (buyer, payment, credits)): (&OrderId, &(PersonId, String, i64))| Grant {
            transaction: None,
            key: Key::new("whop:payment", payment),
            to: *buyer,
            credits: Credits::new(*credits),
            counter: "sales:whop",
            source: LotSource::Purchase,
            expires_at: None,
            order: Some(*order),
            paid: Some((PaymentKey { provider: Provider::Whop, id: payment.to_owned() }, Money::usd(100))),
            actor: "test".to_owned(),
            description: "Bought".to_owned(),
        };
        orders.iter().zip(bought).map(grant).collect()
    }

    /// Notes on payments which transactions granted them.
    pub async fn settled(&self, payments: Vec<String>) {
        if payments.is_empty() {
            return;
        }
        sqlx::query(
            "update payments set granted_by = t.id from credit_transactions t
            where payments.payment_id = any($1) and t.kind = 'grant' and t.provider = payments.provider
                and t.payment_id = payments.payment_id",
        )
        .bind(payments)
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
        part: Part::Bought,
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
