//! I5, I6 and I11: what the provider knows of each payment against what the ledger did for it, both ways.

use std::collections::HashMap;

use anyhow::Result;
use sqlx::PgPool;
use sqlx::types::Uuid;

use super::Findings;
use crate::chaos::model;
use crate::chaos::world::{Payment, World};

#[derive(Debug, Default, sqlx::FromRow)]
struct Done {
    payment_id: String,
    amount_minor: Option<i64>,
    currency: Option<String>,
    refunded_minor: i64,
    grants: i64,
    granted: i64,
    owner: Option<Uuid>,
    taken: i64,
    held: i64,
    bonuses: i64,
    bonus: i64,
    bonus_owner: Option<Uuid>,
    bonus_taken: i64,
    bonus_held: i64,
}

const DONE: &str = "
    with granted as (
        select t.payment_id, count(*) as grants, sum(lot.granted)::bigint as granted,
            (array_agg(wallet.owner_id))[1] as owner
        from credit_transactions t
        join credit_accounts wallet on wallet.id = t.account_id
        left join credit_lots lot on lot.transaction_id = t.id
        where t.kind = 'grant' and t.payment_id is not null group by 1
    ), given as (
        select t.payment_id, count(*) as bonuses, sum(lot.granted)::bigint as bonus,
            (array_agg(wallet.owner_id))[1] as bonus_owner
        from credit_transactions t
        join credit_accounts wallet on wallet.id = t.account_id
        left join credit_lots lot on lot.transaction_id = t.id and lot.source = 'bonus'
        where t.kind = 'bonus' and t.payment_id is not null group by 1
    ), back as (
        select payment_id, coalesce(sum(debt_change - net) filter (where scope not like '%bonus%'), 0)::bigint as taken,
            coalesce(sum(debt_change - net) filter (where scope like '%bonus%'), 0)::bigint as bonus_taken
        from credit_transactions where kind in ('clawback', 'reinstate') and payment_id is not null group by 1
    ), held as (
        select lot.payment_id, coalesce(sum(piece.amount) filter (where lot.source <> 'bonus'), 0)::bigint as held,
            coalesce(sum(piece.amount) filter (where lot.source = 'bonus'), 0)::bigint as bonus_held
        from credit_hold_lots piece
        join credit_holds hold on hold.id = piece.hold_id and hold.state = 'open' and hold.scope like '%freeze%'
        join credit_lots lot on lot.id = piece.lot_id
        where lot.payment_id is not null group by 1
    )
    select p.payment_id, p.amount_minor, p.currency, p.refunded_minor, coalesce(granted.grants, 0) as grants,
        coalesce(granted.granted, 0) as granted, granted.owner, coalesce(back.taken, 0) as taken,
        coalesce(held.held, 0) as held, coalesce(given.bonuses, 0) as bonuses, coalesce(given.bonus, 0) as bonus,
        given.bonus_owner, coalesce(back.bonus_taken, 0) as bonus_taken, coalesce(held.bonus_held, 0) as bonus_held
    from payments p left join granted using (payment_id) left join given using (payment_id)
        left join back using (payment_id) left join held using (payment_id)";

/// `truth`: each payment as the provider knows it, none for those that never were.
pub async fn check(
    owner: &PgPool,
    world: &World,
    truth: &[Option<Payment>],
    company: &str,
    findings: &mut Findings,
) -> Result<()> {
    let rows: Vec<Done> = sqlx::query_as(DONE).fetch_all(owner).await?;
    let mut done: HashMap<String, Done> = rows.into_iter().map(|row| (row.payment_id.clone(), row)).collect();
    for (planned, payment) in world.payments.iter().zip(truth) {
        let row = done.remove(&planned.id).unwrap_or_default();
        one(planned, payment.as_ref(), world, company, &row, findings);
    }
    for row in done.into_values().filter(|row| row.grants + row.bonuses > 0) {
        let said = format!("{} has {} grants and {} bonuses", row.payment_id, row.grants, row.bonuses);
        findings.add("I6 no grant without a payment", said);
    }
    let others: Vec<String> = sqlx::query_scalar(
        "select 'transaction ' || id from credit_transactions where kind in ('grant', 'bonus') and payment_id is null",
    )
    .fetch_all(owner)
    .await?;
    for other in others {
        findings.add("I6 no grant without a payment", other);
    }
    Ok(())
}

fn one(
    planned: &Payment,
    payment: Option<&Payment>,
    world: &World,
    company: &str,
    row: &Done,
    findings: &mut Findings,
) {
    let order = &world.orders[planned.order];
    let due = model::outcome(payment, order, company);
    let id = &planned.id;
    if due.granted == 0 {
        if row.grants + row.bonuses > 0 {
            findings.add("I6 no grant without a payment", format!("{id} granted {} credits", row.granted));
        }
        return;
    }
    if row.grants != 1 || row.granted != due.granted || row.owner != Some(order.buyer) {
        let said = format!(
            "{id}: {} grants of {} in all to {:?}, due is one of {}",
            row.grants, row.granted, row.owner, due.granted
        );
        findings.add("I5 each payment grants exactly once", said);
        return;
    }
    bonus(id, &due, order.buyer, row, findings);
    if row.amount_minor != Some(order.price_minor) || row.currency.as_deref() != Some(order.currency) {
        let said = format!(
            "{id}: {:?} {:?} noted for {} {}",
            row.amount_minor, row.currency, order.price_minor, order.currency
        );
        findings.add("I5 what was paid is noted as it was paid", said);
    }
    if row.taken != due.taken {
        let said = format!(
            "{id}: {} of {} credits taken back, due are {}: {}",
            row.taken,
            due.granted,
            due.taken,
            past(payment)
        );
        findings.add("I11 what went back took its credits back", said);
    }
    let refunded = payment.map_or(0, Payment::refunded);
    if row.refunded_minor != refunded {
        let said = format!("{id}: {} noted, {refunded} refunded: {}", row.refunded_minor, past(payment));
        findings.add("I11 what was refunded is noted", said);
    }
    let held_max = if due.may_be_held { due.granted - due.taken } else { 0 };
    if row.held > held_max {
        let said = format!("{id}: {} credits are frozen, at most {held_max} should be: {}", row.held, past(payment));
        findings.add("I11 only what is contested is frozen", said);
    }
}

/// The bonus came once, with the grant and to the same buyer, and went by the same ratio.
fn bonus(id: &str, due: &model::Outcome, buyer: Uuid, row: &Done, findings: &mut Findings) {
    let once = i64::from(due.bonus > 0);
    if (row.bonuses, row.bonus) != (once, due.bonus) || once == 1 && row.bonus_owner != Some(buyer) {
        let said = format!(
            "{id}: {} bonuses of {} in all to {:?}, due is {once} of {}",
            row.bonuses, row.bonus, row.bonus_owner, due.bonus
        );
        findings.add("I5 each payment gives its bonus exactly once", said);
    }
    if row.bonus_taken != due.bonus_taken {
        let said =
            format!("{id}: {} of the bonus of {} taken back, due are {}", row.bonus_taken, due.bonus, due.bonus_taken);
        findings.add("I11 what went back took its bonus back", said);
    }
    let held_max = if due.may_be_held { due.bonus - due.bonus_taken } else { 0 };
    if row.bonus_held > held_max {
        findings
            .add("I11 only what is contested is frozen", format!("{id}: {} of the bonus are frozen", row.bonus_held));
    }
}

fn past(payment: Option<&Payment>) -> String {
    payment.map_or_else(String::new, |payment| {
        let refunds: Vec<String> = payment.refunds.iter().map(|it| format!("{} {:?}", it.minor, it.standing)).collect();
        let disputes: Vec<String> =
            payment.disputes.iter().map(|it| format!("{} {:?}", it.minor, it.standing)).collect();
        format!("paid {}, refunds [{}], disputes [{}]", payment.minor, refunds.join(", "), disputes.join(", "))
    })
}
