//! The receipt of an order that was credited.

use domain::{Credits, Currency, Money, OrderId, PersonId, Provider};
use sqlx::PgExecutor;
use time::OffsetDateTime;

use crate::people::Owner;
use crate::{Error, Result};

/// What an accountant asks for.
#[derive(Debug, Clone)]
pub struct Receipt {
    pub order: OrderId,
    pub plan_name: String,
    pub credits: Credits,
    /// Given beside them; 0: none.
    pub bonus: Credits,
    pub provider: Provider,
    pub credited_at: OffsetDateTime,
    /// Each payment of the order; none when it was approved by hand.
    pub payments: Vec<ReceiptPayment>,
}

#[derive(Debug, Clone)]
pub struct ReceiptPayment {
    pub id: String,
    pub amount: Money,
    pub method: Option<String>,
    pub paid_at: Option<OffsetDateTime>,
}

/// Errors: [`Error::NotFound`] for an order that is unknown, somebody else's, or not credited.
pub async fn receipt(db: impl PgExecutor<'_>, buyer: &Owner, order: OrderId) -> Result<Receipt> {
    let rows = sqlx::query!(
        r#"select o.plan_name, coalesce(o.granted_credits, o.credits) as "credits!: Credits", o.provider as "provider: Provider",
            o.bonus_credits as "bonus: Credits", coalesce(o.settled_at, o.changed_at) as "credited_at!", p.payment_id as "payment_id?",
            p.amount_minor as "amount_minor?", p.currency as "currency?: Currency", p.method as "method?",
            p.paid_at as "paid_at?"
        from credit_orders o
        left join payments p on p.order_id = o.id and p.granted_by is not null
        where o.id = $1 and o.buyer_id = $2 and o.state in ('paid', 'approved')
        order by p.paid_at, p.payment_id"#,
        order as OrderId,
        buyer.id() as PersonId,
    )
    .fetch_all(db)
    .await?;
    let first = rows.first().ok_or(Error::NotFound)?;
    let (plan_name, credits, bonus) = (first.plan_name.clone(), first.credits, first.bonus);
    let (provider, credited_at) = (first.provider, first.credited_at);
    let payments = rows
        .into_iter()
        .filter_map(|row| {
            Some(ReceiptPayment {
                id: row.payment_id?,
                amount: Money::new(row.amount_minor?, row.currency?),
                method: row.method,
                paid_at: row.paid_at,
            })
        })
        .collect();
    Ok(Receipt { order, plan_name, credits, bonus, provider, credited_at, payments })
}
