//! The whole story of one order, for those who are asked "where are my credits?": what was offered, what was paid, what the
//! provider told us, what was booked, what was said by mail.

mod booked;
mod paid;
mod told;

use domain::{Credits, Currency, OrderId, OrderState, PersonId, Price, Provider};
use sqlx::PgConnection;
use time::OffsetDateTime;

pub use self::booked::Booking;
pub use self::paid::{Dispute, Payment, Refund};
pub use self::told::{Event, Mail};
use super::refund;
use super::refund::list::Request;
use crate::people::roles::ReadsOrders;
use crate::{Context, Error, Result, plans};

#[derive(Debug, Clone)]
pub struct Dossier {
    pub order: Order,
    pub payments: Vec<Payment>,
    pub refunds: Vec<Refund>,
    pub disputes: Vec<Dispute>,
    /// Refunds that were asked for here, oldest first.
    pub refund_requests: Vec<Request>,
    /// What the provider told us of it, newest first.
    pub events: Vec<Event>,
    /// What the ledger booked for it, oldest first.
    pub bookings: Vec<Booking>,
    pub mails: Vec<Mail>,
}

/// The order as it was made, and where it stands.
#[derive(Debug, Clone)]
pub struct Order {
    pub id: OrderId,
    pub buyer: PersonId,
    pub buyer_email: String,
    pub buyer_name: String,
    /// What the buyer can spend now, and what they owe.
    pub available: Credits,
    pub debt: Credits,
    pub plan_name: String,
    pub credits: Credits,
    /// Given beside them; 0: none.
    pub bonus: Credits,
    pub price: Price,
    pub provider: Provider,
    pub state: OrderState,
    pub failure_message: Option<String>,
    pub note: Option<String>,
    pub checkout_id: Option<String>,
    pub created_at: OffsetDateTime,
    pub settled_at: Option<OffsetDateTime>,
    pub changed_at: OffsetDateTime,
    /// When the provider is asked again, where it will be.
    pub next_ask_at: Option<OffsetDateTime>,
    pub answer: Option<Answered>,
}

/// How a request was answered.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The address of who did; none: an operator, by a command.
    pub by: Option<String>,
    pub reason: String,
    /// None: declined.
    pub granted: Option<Credits>,
}

/// Errors: [`Error::NotFound`].
pub async fn load(ctx: &Context, _: &dyn ReadsOrders, id: OrderId) -> Result<Dossier> {
    let mut db = ctx.db.begin().await?;
    sqlx::query!("set transaction isolation level repeatable read, read only").execute(&mut *db).await?;
    let dossier = Dossier {
        order: order(&mut db, id).await?,
        payments: paid::payments(&mut db, id).await?,
        refunds: paid::refunds(&mut db, id).await?,
        disputes: paid::disputes(&mut db, id).await?,
        refund_requests: refund::list::of_order(&mut *db, id).await?,
        events: told::events(&mut db, id).await?,
        bookings: booked::bookings(&mut db, id).await?,
        mails: told::mails(&mut db, id).await?,
    };
    db.commit().await?;
    Ok(dossier)
}

async fn order(db: &mut PgConnection, id: OrderId) -> Result<Order> {
    let row = sqlx::query!(
        r#"select o.buyer_id as "buyer: PersonId",
            person.known_as as "email!", person.name, wallet.posted - wallet.held as "available!: Credits",
            wallet.debt as "debt: Credits", o.plan_name, o.credits as "credits: Credits", o.price_minor,
            o.bonus_credits as "bonus: Credits",
            o.currency as "currency: Currency", o.provider as "provider: Provider", o.state as "state: OrderState",
            o.failure_message, o.note, o.checkout_id, o.created_at, o.settled_at, o.changed_at, o.next_ask_at,
            answerer.known_as as "answered_by?", o.answer_reason, o.granted_credits as "granted: Credits"
        from credit_orders o
        join user_profiles person on person.id = o.buyer_id
        join credit_accounts wallet on wallet.owner_id = o.buyer_id and wallet.kind = 'wallet'
        left join user_profiles answerer on answerer.id = o.answered_by
        where o.id = $1"#,
        id as OrderId,
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::NotFound)?;
    let (by, granted) = (row.answered_by, row.granted);
    Ok(Order {
        id,
        buyer: row.buyer,
        buyer_email: row.email,
        buyer_name: row.name,
        available: row.available,
        debt: row.debt,
        plan_name: row.plan_name,
        credits: row.credits,
        bonus: row.bonus,
        price: plans::catalogue::price(row.price_minor, row.currency),
        provider: row.provider,
        state: row.state,
        failure_message: row.failure_message,
        note: row.note,
        checkout_id: row.checkout_id,
        created_at: row.created_at,
        settled_at: row.settled_at,
        changed_at: row.changed_at,
        next_ask_at: row.next_ask_at,
        answer: row.answer_reason.map(|reason| Answered { by, reason, granted }),
    })
}
