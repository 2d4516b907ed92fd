//! What we and the ledger say about payments: everything that a comparison needs, in one query for many.

use std::collections::HashMap;

use domain::{Credits, Currency, Money, OrderId, OrderState, PaymentState, Provider};
use sqlx::PgPool;

use super::Window;
use crate::events::Fact;
use crate::{Result, plans};

/// Our side of one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ours {
    pub payment_id: String,
    /// The order of its checkout, if it is one of ours.
    pub order: Option<OurOrder>,
    /// None: we never heard of it.
    pub payment: Option<OurPayment>,
    /// What the ledger granted for it, in credits.
    pub granted: Credits,
    /// What the ledger has taken back for it and not returned.
    pub taken: Credits,
    /// The bonus that the ledger granted for it, what it took back of that, and what had expired of it.
    pub bonus: Bonus,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bonus {
    pub granted: Credits,
    pub taken: Credits,
    pub expired: Credits,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OurOrder {
    pub id: OrderId,
    pub credits: Credits,
    /// Given beside them; 0: none.
    pub bonus: Credits,
    pub price: Option<Money>,
    pub state: OrderState,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OurPayment {
    pub state: PaymentState,
    pub paid: Option<Money>,
    /// Minor units that went back.
    pub refunded: i64,
    /// What refunds and lost disputes ask to be taken back.
    pub to_take: Credits,
    /// And of the bonus.
    pub bonus_to_take: Credits,
    /// We know of a dispute, or heard that there is one.
    pub disputed: bool,
}

/// One payment to look up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub payment_id: String,
    pub checkout_id: Option<String>,
}

/// One row for each that is asked for, in no order.
pub async fn load(db: &PgPool, provider: Provider, asked: &[Asked]) -> Result<Vec<Ours>> {
    let payments: Vec<&str> = asked.iter().map(|asked| asked.payment_id.as_str()).collect();
    let checkouts: Vec<Option<&str>> = asked.iter().map(|asked| asked.checkout_id.as_deref()).collect();
    let rows = sqlx::query!(
        r#"select asked.payment_id as "payment_id!", o.id as "order?: OrderId", o.credits as "credits?: Credits", o.bonus_credits as "bonus?: Credits",
            o.price_minor as "price_minor?", o.currency as "order_currency?: Currency", o.state as "order_state?: OrderState",
            p.state as "state?: PaymentState", p.amount_minor as "amount_minor?", p.currency as "currency?: Currency",
            p.refunded_minor as "refunded?", p.taken_credits as "to_take?: Credits", p.taken_bonus as "bonus_to_take?: Credits",
            coalesce(p.dispute_said or exists (
                select from disputes d where d.provider = $1 and d.payment_id = asked.payment_id), false) as "disputed!",
            coalesce((select sum(net - debt_change) from credit_transactions where kind = 'grant'
                and provider = $1 and payment_id = asked.payment_id), 0)::bigint as "granted!: Credits",
            coalesce((select sum(debt_change - net) from credit_transactions where kind in ('clawback', 'reinstate')
                and provider = $1 and payment_id = asked.payment_id and scope <> $1 || ':bonus-take-back'), 0)::bigint as "taken!: Credits",
            coalesce((select net - debt_change from credit_transactions where kind = 'bonus'
                and scope = $1 || ':bonus' and key = asked.payment_id), 0)::bigint as "bonus_granted!: Credits",
            coalesce((select sum(debt_change - net) from credit_transactions where kind in ('clawback', 'reinstate')
                and provider = $1 and payment_id = asked.payment_id and scope = $1 || ':bonus-take-back'), 0)::bigint
                as "bonus_taken!: Credits",
            coalesce((select -sum(entry.amount) from credit_lots lot
                join credit_entries entry on entry.lot_id = lot.id
                join credit_transactions t on t.id = entry.transaction_id and t.kind = 'expire'
                where lot.provider = $1 and lot.payment_id = asked.payment_id and lot.source = 'bonus'), 0)::bigint
                as "bonus_expired!: Credits"
        from unnest($2::text[], $3::text[]) as asked (payment_id, checkout_id)
        left join payments p on p.provider = $1 and p.payment_id = asked.payment_id
        left join credit_orders o on o.id = coalesce(p.order_id, (
            select id from credit_orders where provider = $1 and checkout_id = asked.checkout_id))"#,
        provider as Provider,
        &payments as &[&str],
        &checkouts as &[Option<&str>],
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Ours {
            payment_id: row.payment_id,
            order: row.order.zip(row.credits).zip(row.order_state).map(|((id, credits), state)| OurOrder {
                id,
                credits,
                bonus: row.bonus.unwrap_or_default(),
                price: match plans::catalogue::price(row.price_minor, row.order_currency) {
                    domain::Price::Fixed(price) => Some(price),
                    domain::Price::ByAgreement => None,
                },
                state,
            }),
            payment: row.state.zip(row.to_take).map(|(state, to_take)| OurPayment {
                state,
                paid: row.amount_minor.zip(row.currency).map(|(minor, currency)| Money::new(minor, currency)),
                refunded: row.refunded.unwrap_or_default(),
                to_take,
                bonus_to_take: row.bonus_to_take.unwrap_or_default(),
                disputed: row.disputed,
            }),
            granted: row.granted,
            taken: row.taken,
            bonus: Bonus { granted: row.bonus_granted, taken: row.bonus_taken, expired: row.bonus_expired },
        })
        .collect())
}

/// Its id, unlike any other's.
pub fn reversal_id(fact: &Fact) -> String {
    match fact {
        Fact::Refund(facts) => format!("refund {}", facts.refund_id),
        Fact::Dispute(facts) => format!("dispute {}", facts.dispute_id),
        Fact::Payment(facts) => format!("payment {}", facts.payment_id),
    }
}

/// The state of each that is about a payment of ours; none for those that we don't know of.
pub async fn reversals(db: &PgPool, provider: Provider, facts: &[Fact]) -> Result<HashMap<String, Option<String>>> {
    let payments: Vec<&str> = facts.iter().map(Fact::payment_id).collect();
    let (mut ids, mut refunds, mut disputes) = (Vec::new(), Vec::new(), Vec::new());
    for fact in facts {
        ids.push(reversal_id(fact));
        refunds.push(if let Fact::Refund(facts) = fact { Some(facts.refund_id.as_str()) } else { None });
        disputes.push(if let Fact::Dispute(facts) = fact { Some(facts.dispute_id.as_str()) } else { None });
    }
    let rows = sqlx::query!(
        r#"select told.id as "id!", coalesce(r.state, d.state) as state
        from unnest($2::text[], $3::text[], $4::text[], $5::text[]) as told (id, payment_id, refund_id, dispute_id)
        join payments p on p.provider = $1 and p.payment_id = told.payment_id
        left join refunds r on r.provider = $1 and r.refund_id = told.refund_id and r.payment_id = told.payment_id
        left join disputes d on d.provider = $1 and d.dispute_id = told.dispute_id and d.payment_id = told.payment_id"#,
        provider as Provider,
        &ids,
        &payments as &[&str],
        &refunds as &[Option<&str>],
        &disputes as &[Option<&str>],
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.state)).collect())
}

/// Payments of ours that were made in the window for sure: their order was made in it, and they were heard of in it.
pub async fn heard_of(db: &PgPool, provider: Provider, window: Window) -> Result<Vec<Asked>> {
    let ids = sqlx::query_scalar!(
        "select p.payment_id from payments p join credit_orders o on o.id = p.order_id
        where p.provider = $1 and p.created_at >= $2 and p.created_at < $3 and o.created_at >= $2 order by p.payment_id",
        provider as Provider,
        window.from,
        window.to,
    )
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().map(|payment_id| Asked { payment_id, checkout_id: None }).collect())
}
