//! What was granted against what was ordered and paid.

use sqlx::PgConnection;

use super::Finding;
use crate::Result;

pub(super) async fn findings(tx: &mut PgConnection) -> Result<Vec<Finding>> {
    Ok(sqlx::query_as!(
        Finding,
        r#"
        with taken as (
            select provider, payment_id, scope in (provider || ':bonus', provider || ':bonus-take-back') as is_bonus,
                sum(case when kind in ('grant', 'bonus') then net - debt_change else 0 end) as granted,
                sum(case when kind in ('grant', 'bonus') then 0 else debt_change - net end) as taken
            from credit_transactions
            where payment_id is not null and kind in ('grant', 'bonus', 'clawback', 'reinstate')
            group by provider, payment_id, is_bonus
        ), bonuses as (
            select t.scope, t.key, t.order_id, lot.granted, wallet.owner_id
            from credit_transactions t
            left join credit_lots lot on lot.transaction_id = t.id and lot.source = 'bonus'
            left join credit_accounts wallet on wallet.id = t.account_id
            where t.kind = 'bonus'
        ), due as (
            select payment.payment_id as key, payment.provider || ':bonus' as scope, o.id, o.bonus_credits, o.buyer_id
            from payments payment join credit_orders o on o.id = payment.order_id
            where payment.granted_by is not null and o.bonus_credits > 0
            union all
            select o.id::text, 'order:bonus', o.id, o.bonus_credits, o.buyer_id
            from credit_orders o where o.state = 'approved' and o.bonus_credits > 0
        ), findings as (
            select 'each collected payment granted exactly its order''s credits once' as invariant, count(*) as rows
            from payments payment
            left join credit_transactions t on t.id = payment.granted_by
            left join credit_orders o on o.id = payment.order_id
            left join credit_lots lot on lot.transaction_id = payment.granted_by
            left join credit_accounts wallet on wallet.id = t.account_id
            where payment.granted_by is not null
                and (t.kind, t.provider, t.payment_id, t.order_id, lot.granted, wallet.owner_id, payment.buyer_id)
                    is distinct from
                    ('grant', payment.provider, payment.payment_id, o.id, o.credits, o.buyer_id, o.buyer_id)
            union all
            select 'what was paid or approved gave its order''s bonus once, and nothing else did', count(*)
            from due full join bonuses on bonuses.scope = due.scope and bonuses.key = due.key
            where (bonuses.order_id, bonuses.granted, bonuses.owner_id) is distinct from (due.id, due.bonus_credits, due.buyer_id)
            union all
            select 'an order is paid when a payment of it granted, and only then', count(*)
            from credit_orders o
            where (o.state = 'paid') <> exists (
                select from payments payment where payment.order_id = o.id and payment.granted_by is not null)
            union all
            select 'no payment granted without being collected', count(*)
            from credit_transactions t join payments payment on payment.provider = t.provider and payment.payment_id = t.payment_id
            where t.kind = 'grant' and (payment.state <> 'succeeded' or payment.granted_by is distinct from t.id)
            union all
            select 'what was taken back of a payment is between nothing and all that it granted', count(*)
            from taken where taken not between 0 and granted
            union all
            select 'what is frozen of a payment was not taken back', count(*)
            from credit_holds hold left join taken on taken.provider = hold.provider and taken.payment_id = hold.payment_id
                and taken.is_bonus = (hold.scope = hold.provider || ':bonus-freeze')
            where hold.state = 'open' and hold.payment_id is not null
                and hold.amount > coalesce(taken.granted - taken.taken, 0)
        )
        select invariant as "invariant!", rows as "rows!" from findings where rows > 0
        "#
    )
    .fetch_all(tx)
    .await?)
}
