-- A page of orders as those who look after them choose it: by state, provider, days and what was searched for, newest or oldest first.
-- Planned anew each time, for which index is best depends on what was chosen: credit_orders_newest, credit_orders_state, these two
-- small ones, or those that a search begins at.
create index credit_orders_elsewhere on credit_orders (provider, created_at desc, id desc) where provider <> 'whop';
create index credit_orders_elsewhere_state on credit_orders (provider, state, created_at desc, id desc) where provider <> 'whop';

create function orders_chosen(p_state text, p_provider text, p_from timestamptz, p_to timestamptz, p_order uuid, p_provider_id text,
    p_email text, p_people integer, p_oldest_first boolean, p_after_at timestamptz, p_after_id uuid, p_limit integer)
returns table (place bigint, id uuid)
language plpgsql stable set search_path = public, pg_temp set plan_cache_mode = force_custom_plan set jit = off as $$
declare
    v_found uuid[];
begin
    -- A search names a few orders by an index of its own; only without one is the whole list walked.
    if p_order is not null or p_provider_id is not null or p_email is not null then
        v_found := array(
            select o.id from credit_orders o where o.id = p_order
            union select o.id from credit_orders o where o.checkout_id = p_provider_id and o.provider in ('whop', 'stripe', 'manual')
            union select p.order_id from payments p where p.payment_id = p_provider_id and p.provider in ('whop', 'stripe')
            union select p.order_id from refunds r join payments p using (provider, payment_id)
                where r.refund_id = p_provider_id and r.provider in ('whop', 'stripe')
            union select p.order_id from disputes d join payments p using (provider, payment_id)
                where d.dispute_id = p_provider_id and d.provider in ('whop', 'stripe')
            union select o.id from credit_orders o where o.buyer_id in (
                select person.id from user_profiles person
                where person.email >= p_email and person.email < p_email || chr(1114111)
                order by person.email limit p_people)
        );
    end if;
    if p_oldest_first then
        return query select row_number() over (), chosen.id from (
            select o.id from credit_orders o
            where (v_found is null or o.id = any (v_found)) and (p_state is null or o.state = p_state)
                and (p_provider is null or o.provider = p_provider) and (p_from is null or o.created_at >= p_from)
                and (p_to is null or o.created_at < p_to) and (p_after_at is null or (o.created_at, o.id) > (p_after_at, p_after_id))
            order by o.created_at, o.id limit p_limit) chosen;
    else
        return query select row_number() over (), chosen.id from (
            select o.id from credit_orders o
            where (v_found is null or o.id = any (v_found)) and (p_state is null or o.state = p_state)
                and (p_provider is null or o.provider = p_provider) and (p_from is null or o.created_at >= p_from)
                and (p_to is null or o.created_at < p_to) and (p_after_at is null or (o.created_at, o.id) < (p_after_at, p_after_id))
            order by o.created_at desc, o.id desc limit p_limit) chosen;
    end if;
end $$;
revoke execute on function orders_chosen from public;
grant execute on function orders_chosen to atlas_app;
