//! Opening the books: the rows that facts touch, locked, in four queries however many facts there are. Each row is asked
//! for by itself, within the query (a scalar subquery, or one with OFFSET 0, is never planned as a search of the table).

use domain::{
    Credits, Currency, DisputeState, FailureReason, Money, OrderId, OrderState, PaymentState, PersonId, Provider,
    RefundRequestId, RefundState, TransactionId,
};
use sqlx::PgConnection;

use super::super::books::{Books, Collected, Dispute, Order, Payment, Refund};
use super::super::expire::is_out_of_time;
use super::super::take_back::TakenBack;
use crate::events::{Fact, Failure};
use crate::plans::{self, Bonus};
use crate::{Context, Error, Result};

pub async fn load(ctx: &Context, tx: &mut PgConnection, provider: Provider, facts: &[&Fact]) -> Result<Books> {
    let mut books = Books::new(provider);
    let payment_ids: Vec<String> = facts.iter().map(|fact| fact.payment_id().to_owned()).collect();
    lock_payments(tx, provider, &payment_ids).await?;
    lock_orders(ctx, tx, &mut books, facts, &payment_ids).await?;
    load_payments(tx, &mut books).await?;
    load_refunds(tx, &mut books, facts, &payment_ids).await?;
    load_disputes(tx, &mut books, facts, &payment_ids).await?;
    Ok(books)
}

/// A payment and its refund may arrive at the same moment, before either has a row that could be locked; so the id is.
async fn lock_payments(tx: &mut PgConnection, provider: Provider, payment_ids: &[String]) -> Result<()> {
    sqlx::query!(
        "select pg_advisory_xact_lock(key) from (
            select distinct hashtextextended($1 || ':' || id, 0) as key from unnest($2::text[]) as id order by key
        ) keys",
        provider.as_str(),
        payment_ids,
    )
    .fetch_all(tx)
    .await?;
    Ok(())
}

/// Payments find their order by the checkout, the only tie that the browser can't bend; refunds and disputes by their
/// payment.
async fn lock_orders(
    ctx: &Context,
    tx: &mut PgConnection,
    books: &mut Books,
    facts: &[&Fact],
    payment_ids: &[String],
) -> Result<()> {
    let checkouts: Vec<String> = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Payment(facts) => facts.checkout_id.clone(),
            _ => None,
        })
        .collect();
    // An array, and no join with the rows to lock: what changes while it is waited for is looked at again (PostgreSQL
    // manual, 13.2.1), and a row that is joined with itself is then no longer found.
    let rows = sqlx::query!(
        r#"select id as "id: OrderId", buyer_id as "buyer: PersonId", plan_name, credits as "credits: Credits", expires_after_days,
            bonus_credits as "bonus_credits: Credits", bonus_expires_after_days, checkout_id, price_minor, currency as "currency: Currency", state as "state: OrderState",
            failure as "failure: FailureReason", failure_message, created_at
        from credit_orders
        where id = any(array(
            select (select id from credit_orders where provider = $1 and checkout_id = told.id)
            from unnest($2::text[]) as told (id)
            union all
            select (select order_id from payments where provider = $1 and payment_id = told.id)
            from unnest($3::text[]) as told (id)
        ))
        order by id for no key update"#,
        books.provider as Provider,
        &checkouts,
        payment_ids,
    )
    .fetch_all(tx)
    .await?;
    for row in rows {
        let price = match plans::catalogue::price(row.price_minor, row.currency) {
            domain::Price::Fixed(price) => Some(price),
            domain::Price::ByAgreement => None,
        };
        let order = Order {
            id: row.id,
            buyer: row.buyer,
            plan_name: row.plan_name,
            credits: row.credits,
            expires_after_days: row.expires_after_days,
            bonus: Bonus::stored(row.bonus_credits, row.bonus_expires_after_days),
            checkout_id: row.checkout_id,
            price,
            state: row.state,
            failure: row.failure.map(|reason| Failure { reason, message: row.failure_message }),
            out_of_time: row.state == OrderState::Expired || is_out_of_time(row.created_at, ctx.now()),
        };
        books.orders.insert(order.id, order);
    }
    Ok(())
}

async fn load_payments(tx: &mut PgConnection, books: &mut Books) -> Result<()> {
    if books.orders.is_empty() {
        return Ok(());
    }
    let orders: Vec<OrderId> = books.orders.keys().copied().collect();
    let rows = sqlx::query!(
        r#"select payment_id, order_id as "order: OrderId", linked, state as "state: PaymentState", amount_minor, charged_minor,
            currency as "currency: Currency", refunded_minor, refunded_said_minor, dispute_said,
            failure as "failure: FailureReason", failure_message, method, paid_at,
            granted_by as "granted: TransactionId", taken_credits as "taken: Credits", frozen_credits as "frozen: Credits",
            taken_bonus as "taken_bonus: Credits", frozen_bonus as "frozen_bonus: Credits"
        from unnest($1::uuid[]) as told (id)
        cross join lateral (select * from payments where order_id = told.id and provider = $2 offset 0) payment"#,
        &orders as &[OrderId],
        books.provider as Provider,
    )
    .fetch_all(tx)
    .await?;
    for row in rows {
        let paid = row.amount_minor.zip(row.currency).map(|(minor, currency)| Money::new(minor, currency));
        let payment = Payment {
            order: row.order,
            linked: row.linked,
            state: row.state,
            amount: paid.map(|paid| Collected { paid, charged: row.charged_minor.unwrap_or(paid.minor) }),
            refunded_said: row.refunded_said_minor,
            dispute_said: row.dispute_said,
            failure: row.failure.map(|reason| Failure { reason, message: row.failure_message }),
            method: row.method,
            paid_at: row.paid_at,
            granted: row.granted,
            taken_back: TakenBack { taken: row.taken, frozen: row.frozen },
            bonus_back: TakenBack { taken: row.taken_bonus, frozen: row.frozen_bonus },
            refunded: row.refunded_minor,
        };
        books.payments.insert(row.payment_id, payment);
    }
    Ok(())
}

async fn load_refunds(tx: &mut PgConnection, books: &mut Books, facts: &[&Fact], payment_ids: &[String]) -> Result<()> {
    let ids: Vec<String> = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Refund(facts) => Some(facts.refund_id.clone()),
            _ => None,
        })
        .collect();
    let rows = sqlx::query!(
        r#"select refund_id as "refund_id!", payment_id as "payment_id!", amount_minor as "amount_minor!",
            currency as "currency!: Currency", state as "state!: RefundState",
            request_id as "request: RefundRequestId", failure
        from unnest($2::text[]) as told (id)
        cross join lateral (select * from refunds where provider = $1 and payment_id = told.id offset 0) refund
        union
        select refund_id, payment_id, amount_minor, currency, state, request_id, failure
        from unnest($3::text[]) as told (id)
        cross join lateral (select * from refunds where provider = $1 and refund_id = told.id offset 0) refund"#,
        books.provider as Provider,
        payment_ids,
        &ids,
    )
    .fetch_all(tx)
    .await?;
    for row in rows {
        let amount = Money::new(row.amount_minor, row.currency);
        let refund =
            Refund { payment_id: row.payment_id, amount, state: row.state, request: row.request, failure: row.failure };
        books.refunds.insert(row.refund_id, refund);
    }
    Ok(())
}

async fn load_disputes(
    tx: &mut PgConnection,
    books: &mut Books,
    facts: &[&Fact],
    payment_ids: &[String],
) -> Result<()> {
    let ids: Vec<String> = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Dispute(facts) => Some(facts.dispute_id.clone()),
            _ => None,
        })
        .collect();
    let rows = sqlx::query!(
        r#"select dispute_id as "dispute_id!", payment_id as "payment_id!", amount_minor, currency as "currency: Currency",
            state as "state!: DisputeState", respond_by
        from unnest($2::text[]) as told (id)
        cross join lateral (select * from disputes where provider = $1 and payment_id = told.id offset 0) dispute
        union
        select dispute_id, payment_id, amount_minor, currency, state, respond_by
        from unnest($3::text[]) as told (id)
        cross join lateral (select * from disputes where provider = $1 and dispute_id = told.id offset 0) dispute"#,
        books.provider as Provider,
        payment_ids,
        &ids,
    )
    .fetch_all(tx)
    .await?;
    for row in rows {
        let amount = row.amount_minor.zip(row.currency).map(|(minor, currency)| Money::new(minor, currency));
        let dispute = Dispute { payment_id: row.payment_id, amount, state: row.state, respond_by: row.respond_by };
        books.disputes.insert(row.dispute_id, dispute);
    }
    Ok(())
}

/// A row that the books name but do not hold: a mistake of ours.
pub fn missing(what: &str, id: impl std::fmt::Display) -> Error {
    Error::broken(format!("the books lost {what} {id}"))
}
