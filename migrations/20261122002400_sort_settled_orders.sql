-- Orders are also chosen by their plan, and sorted by when they were settled. What is chosen so is read as a few short pieces, one for
-- each version, provider and state that is wanted, each of them in its order by an index of its own, and these are merged: so a page
-- costs the same whatever is rare. `orders_chosen` with fewer arguments stays for programs that are still running.
create index credit_orders_of_version on credit_orders (plan_version_id, provider, state, created_at desc, id desc);
create index credit_orders_settled on credit_orders (provider, state, settled_at desc, id desc) where settled_at is not null;
create index credit_orders_settled_of_version on credit_orders (plan_version_id, provider, state, settled_at desc, id desc)
    where settled_at is not null;

-- A page of orders as those who look after them choose it. By settled: only those that are, and the days are those on which they were.
-- p_states, p_providers: all that there are, or the one that is wanted; p_state, p_provider: the one, or none.
create function orders_chosen(p_state text, p_provider text, p_plan uuid, p_from timestamptz, p_to timestamptz, p_order uuid,
    p_provider_id text, p_email text, p_people integer, p_states text[], p_providers text[], p_by_settled boolean,
    p_oldest_first boolean, p_after_at timestamptz, p_after_id uuid, p_limit integer)
returns table (place bigint, id uuid)
language plpgsql stable set search_path = public, pg_temp set jit = off as $$
declare
    v_found uuid[];
    v_versions uuid[];
    v_time text := case when p_by_settled then 'settled_at' else 'created_at' end;
    v_way text := case when p_oldest_first then 'asc' else 'desc' end;
    v_beyond text := case when p_oldest_first then '>' else '<' end;
begin
    if p_plan is not null then
        v_versions := array(select version.id from plan_versions version where version.plan_id = p_plan);
    end if;
    -- A search names a few orders by an index of its own; only without one is a whole list walked.
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
    -- Made into one statement, so that it is planned for what was chosen; the three words in it are ours.
    if v_found is not null or (p_plan is null and not p_by_settled) then
        return query execute format($query$
            select row_number() over (), chosen.id from (
                select o.id from credit_orders o
                where ($1 is null or o.id = any ($1)) and ($2 is null or o.state = $2) and ($3 is null or o.provider = $3)
                    and ($4 is null or o.plan_version_id = any ($4)) and o.%1$I is not null
                    and ($5 is null or o.%1$I >= $5) and ($6 is null or o.%1$I < $6)
                    and ($7 is null or (o.%1$I, o.id) %2$s ($7, $8))
                order by o.%1$I %3$s, o.id %3$s limit $9) chosen
            $query$, v_time, v_beyond, v_way)
            using v_found, p_state, p_provider, v_versions, p_from, p_to, p_after_at, p_after_id, p_limit;
    else
        return query execute format($query$
            select row_number() over (), chosen.id from (
                select o.id from %4$s unnest($1) provider (name) cross join unnest($2) state (name)
                cross join lateral (
                    select o.id, o.%1$I as at from credit_orders o
                    where %5$s o.provider = provider.name and o.state = state.name and o.%1$I is not null
                        and ($4 is null or o.%1$I >= $4) and ($5 is null or o.%1$I < $5)
                        and ($6 is null or (o.%1$I, o.id) %2$s ($6, $7))
                    order by o.%1$I %3$s, o.id %3$s limit $8) o
                order by o.at %3$s, o.id %3$s limit $8) chosen
            $query$, v_time, v_beyond, v_way,
            case when p_plan is null then '' else 'unnest($3) version (id) cross join' end,
            case when p_plan is null then '' else 'o.plan_version_id = version.id and' end)
            using p_providers, p_states, v_versions, p_from, p_to, p_after_at, p_after_id, p_limit;
    end if;
end $$;
revoke execute on function orders_chosen(text, text, uuid, timestamptz, timestamptz, uuid, text, text, integer, text[], text[], boolean,
    boolean, timestamptz, uuid, integer) from public;
grant execute on function orders_chosen(text, text, uuid, timestamptz, timestamptz, uuid, text, text, integer, text[], text[], boolean,
    boolean, timestamptz, uuid, integer) to atlas_app;
