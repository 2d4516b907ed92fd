//! One order as its buyer sees it.

use domain::{Credits, Currency, FailureReason, Money, OrderId, OrderState, PersonId, Price, Provider, TransactionId};
use sqlx::PgExecutor;
use time::OffsetDateTime;

use crate::people::Owner;
use crate::{Error, Result, plans};

/// Everything the order's page shows.
#[derive(Debug, Clone)]
pub struct OrderPage {
    pub id: OrderId,
    pub plan_name: String,
    pub credits: Credits,
    /// Given beside them; 0: none.
    pub bonus: Credits,
    pub price: Price,
    pub provider: Provider,
    pub state: OrderState,
    pub failure: Option<FailureReason>,
    /// The provider's own sentence about the failure.
    pub failure_message: Option<String>,
    pub note: Option<String>,
    /// What whoever answered a request said.
    pub answer_reason: Option<String>,
    /// Where the buyer can still pay.
    pub checkout_url: Option<String>,
    pub created_at: OffsetDateTime,
    pub settled_at: Option<OffsetDateTime>,
    /// Differs after each change; opaque.
    pub version: String,
    /// The grant, once there is one.
    pub transaction: Option<TransactionId>,
    /// The wallet's credits now, held ones left out.
    pub available: Credits,
    /// What of its payments was refunded or is fought over.
    pub reversal: Option<Reversal>,
}

/// What became of the money and the credits of an order that was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reversal {
    /// Paid back for good; none while nothing was, or when a dispute took it.
    pub refunded: Option<Money>,
    /// Credits taken back in all.
    pub taken: Credits,
    /// Credits that wait for a refund or dispute to be decided.
    pub frozen: Credits,
    /// Of the bonus, the same two.
    pub taken_bonus: Credits,
    pub frozen_bonus: Credits,
}

impl Reversal {
    /// Some of the credits wait for a refund or dispute to be decided.
    pub fn is_questioned(self) -> bool {
        self.frozen > Credits::ZERO || self.frozen_bonus > Credits::ZERO
    }

    /// Some of the credits were taken back.
    pub fn took(self) -> bool {
        self.taken > Credits::ZERO || self.taken_bonus > Credits::ZERO
    }
}

/// Errors: [`Error::NotFound`] for an unknown order and for somebody else's alike.
pub async fn load(db: impl PgExecutor<'_>, buyer: &Owner, order: OrderId) -> Result<OrderPage> {
    let row = sqlx::query!(
        r#"select o.plan_name, coalesce(o.granted_credits, o.credits) as "credits!: Credits", o.answer_reason, o.price_minor, o.currency as "currency: Currency",
            o.provider as "provider: Provider", o.state as "state: OrderState", o.failure as "failure: FailureReason",
            o.failure_message, o.note, o.checkout_url, o.created_at, o.settled_at, o.changed_at,
            (select t.id from credit_transactions t where t.order_id = o.id and t.kind = 'grant' order by t.last_seq limit 1)
                as "transaction: TransactionId",
            wallet.posted - wallet.held as "available!: Credits", reversal.refunded as "refunded_minor",
            reversal.taken as "taken: Credits", reversal.frozen as "frozen: Credits",
            reversal.taken_bonus as "taken_bonus: Credits", reversal.frozen_bonus as "frozen_bonus: Credits",
            o.bonus_credits as "bonus: Credits"
        from credit_orders o
        join credit_accounts wallet on wallet.owner_id = o.buyer_id and wallet.kind = 'wallet'
        cross join lateral (
            select sum(refunded_minor)::bigint as refunded, sum(taken_credits)::bigint as taken,
                sum(frozen_credits)::bigint as frozen, sum(taken_bonus)::bigint as taken_bonus,
                sum(frozen_bonus)::bigint as frozen_bonus
            from payments where order_id = o.id
        ) reversal
        where o.id = $1 and o.buyer_id = $2"#,
        order as OrderId,
        buyer.id() as PersonId,
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::NotFound)?;
    Ok(OrderPage {
        id: order,
        plan_name: row.plan_name,
        credits: row.credits,
        bonus: row.bonus,
        price: plans::catalogue::price(row.price_minor, row.currency),
        provider: row.provider,
        state: row.state,
        failure: row.failure,
        failure_message: row.failure_message,
        note: row.note,
        answer_reason: row.answer_reason,
        checkout_url: row.checkout_url,
        created_at: row.created_at,
        settled_at: row.settled_at,
        version: version_of(row.state, row.changed_at),
        reversal: reversal(Reversal {
            refunded: row.refunded_minor.zip(row.currency).map(|(minor, currency)| Money::new(minor, currency)),
            taken: row.taken.unwrap_or_default(),
            frozen: row.frozen.unwrap_or_default(),
            taken_bonus: row.taken_bonus.unwrap_or_default(),
            frozen_bonus: row.frozen_bonus.unwrap_or_default(),
        }),
        transaction: row.transaction,
        available: row.available,
    })
}

/// None where nothing was taken back, nor is in question.
fn reversal(mut of: Reversal) -> Option<Reversal> {
    of.refunded = of.refunded.filter(|refunded| refunded.minor > 0);
    (of.refunded.is_some() || of.took() || of.is_questioned()).then_some(of)
}

/// The order's version now, if it is this person's, and whether anything more is expected; for the event stream.
///
/// Errors: [`Error::NotFound`] as for [`load`].
pub async fn version(db: impl PgExecutor<'_>, buyer: PersonId, order: OrderId) -> Result<(String, OrderState)> {
    let row = sqlx::query!(
        r#"select state as "state: OrderState", changed_at from credit_orders where id = $1 and buyer_id = $2"#,
        order as OrderId,
        buyer as PersonId,
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::NotFound)?;
    Ok((version_of(row.state, row.changed_at), row.state))
}

fn version_of(state: OrderState, changed_at: OffsetDateTime) -> String {
    format!("{state}-{}", changed_at.unix_timestamp_nanos())
}
