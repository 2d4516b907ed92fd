//! What a refund would do, seen by doing it: the very path that its news takes is gone through, and undone.

use domain::{Credits, Currency, Money, OrderId, PersonId, Provider, RefundRequestId, RefundState};
use sqlx::PgConnection;
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

use super::{Refundable, check, load};
use crate::events::{Fact, RefundFacts};
use crate::orders::settle::settle;
use crate::people::roles::{Admin, Finance};
use crate::{Context, Error, Result, approvals, ids};

/// What would come of a refund, were it done at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preview {
    pub money_back: Money,
    /// What could then still be paid back.
    pub left: Money,
    /// Credits that go with the money.
    pub credits_back: Credits,
    /// And of the bonus; none where the order has none.
    pub bonus_back: Option<Credits>,
    /// Of those, spent or reserved already: they become owed.
    pub already_spent: Credits,
    /// What the buyer would owe in all, and could spend.
    pub debt: Credits,
    pub available: Credits,
    /// Another admin would have to confirm it.
    pub takes_two: bool,
}

/// The wallet, and how much of the payment was taken back.
struct Standing {
    posted: i64,
    held: i64,
    debt: i64,
    taken: i64,
    bonus_taken: i64,
    bonus: i64,
}

/// Runs the refund through [`settle`] as if the provider had just said that it is done, looks, and undoes all of it.
///
/// Errors: [`Error::Invalid`] for `amount`.
pub async fn preview(ctx: &Context, _: &Finance, of: &Refundable, amount: Money) -> Result<Preview> {
    look(ctx, of, amount).await
}

/// The same for a request that waits for a second admin, as if it were the only one.
///
/// Errors: [`Error::NotFound`] when it does not wait (any more); [`Error::Invalid`] when less than that is left;
/// [`Refusal::NothingToRefund`](crate::Refusal::NothingToRefund); [`Refusal::PaymentIsDisputed`](crate::Refusal::PaymentIsDisputed).
pub async fn preview_waiting(ctx: &Context, _: &Admin, id: RefundRequestId) -> Result<Preview> {
    let mut db = ctx.db.acquire().await?;
    let request = sqlx::query!(
        r#"select order_id as "order: OrderId", payment_id, amount_minor, currency as "currency: Currency"
        from refund_requests where id = $1 and state = 'waiting'"#,
        id as RefundRequestId,
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(Error::NotFound)?;
    let of = load(&mut db, request.order, &request.payment_id, Some(id)).await?;
    drop(db);
    look(ctx, &of, Money::new(request.amount_minor, request.currency)).await
}

async fn look(ctx: &Context, of: &Refundable, amount: Money) -> Result<Preview> {
    check(of, amount)?;
    // What is logged of it would not be true.
    let (before, after) = rehearse(ctx, of, amount).with_subscriber(NoSubscriber::default()).await?;
    Ok(Preview {
        money_back: amount,
        left: Money::new(of.left.minor - amount.minor, amount.currency),
        credits_back: Credits::new(after.taken - before.taken),
        bonus_back: (after.bonus > 0).then(|| Credits::new(after.bonus_taken - before.bonus_taken)),
        already_spent: Credits::new(after.debt - before.debt),
        debt: Credits::new(after.debt),
        available: Credits::new(after.posted - after.held),
        takes_two: approvals::refund_takes_two(Money::new(of.asked.minor + amount.minor, amount.currency)),
    })
}

async fn rehearse(ctx: &Context, of: &Refundable, amount: Money) -> Result<(Standing, Standing)> {
    let account = "rehearsal";
    let fact = Fact::Refund(RefundFacts {
        provider: of.provider,
        refund_id: format!("rehearsal-{}", ids::fresh()),
        payment_id: of.payment_id.clone(),
        account: Some(account.to_owned()),
        amount,
        state: RefundState::Succeeded,
        request: None,
        failure: None,
    });
    let mut tx = ctx.db.begin().await?;
    let before = standing(&mut tx, of).await?;
    settle(ctx, &mut tx, of.provider, account, &[&fact]).await?;
    let after = standing(&mut tx, of).await?;
    tx.rollback().await?;
    Ok((before, after))
}

async fn standing(tx: &mut PgConnection, of: &Refundable) -> Result<Standing> {
    sqlx::query_as!(
        Standing,
        "select wallet.posted, wallet.held, wallet.debt, payment.taken_credits as taken,
            payment.taken_bonus as bonus_taken, o.bonus_credits as bonus
        from credit_accounts wallet
        join payments payment on payment.buyer_id = wallet.owner_id and payment.provider = $2 and payment.payment_id = $3
        join credit_orders o on o.id = payment.order_id
        where wallet.owner_id = $1 and wallet.kind = 'wallet'",
        of.buyer as PersonId,
        of.provider as Provider,
        of.payment_id,
    )
    .fetch_optional(tx)
    .await?
    .ok_or(Error::NotFound)
}
