-- Housekeeping: holds that are due end, then what is left and not held of lots that are due is booked against `expired`. No
-- spend waits for it or depends on it, for none takes an expired lot; wallets that are busy just now are left for the next
-- run. At most p_limit holds and p_limit lots a run: repeat until nothing is due.
create function credits_expire(p_limit integer) returns table (holds bigint, lots bigint, credits bigint)
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set jit = off
as $$
#variable_conflict use_column
declare
    v_at timestamptz := clock_timestamp();
    v_counter bigint;
    w_id bigint[];
    v_holds uuid[];
begin
    select array_agg(id) into w_id from (
        select id from credit_accounts
        where id = any (array(
            select account_id from credit_holds
            where state = 'open' and expires_at <= v_at order by expires_at limit p_limit))
        order by id for no key update skip locked
    ) locked;
    select array_agg(id) into v_holds from (
        select id from credit_holds
        where account_id = any (w_id) and state = 'open' and expires_at <= v_at order by expires_at limit p_limit
    ) due;
    holds := 0;
    if v_holds is not null then
        select count(*) into holds from credits_end_holds(null, v_holds, array_fill(0::bigint, array[cardinality(v_holds)]),
            null, null, null, 'expired') where outcome = 'done';
    end if;

    select id into v_counter from credit_accounts where code = 'expired';
    select array_agg(id) into w_id from (
        select id from credit_accounts
        where id = any (array(
            select account_id from credit_lots
            where is_open and remaining > held and expires_at <= v_at order by expires_at limit p_limit))
        order by id for no key update skip locked
    ) locked;
    with due as materialized (
        select lot.id, lot.account_id, lot.order_id, lot.provider, lot.payment_id, lot.remaining - lot.held as credits,
            gen_random_uuid() as transaction_id, row_number() over burn as nth,
            sum(lot.remaining - lot.held) over (burn rows unbounded preceding) as so_far, wallet.posted, wallet.debt, wallet.seq
        from (
            select id, account_id, order_id, provider, payment_id, remaining, held, expires_at from credit_lots
            where account_id = any (w_id) and is_open and remaining > held and expires_at <= v_at
            order by expires_at, id limit p_limit
        ) lot
        join credit_accounts wallet on wallet.id = lot.account_id
        window burn as (partition by lot.account_id order by lot.expires_at, lot.id)
    ), booked as (
        insert into credit_transactions (id, account_id, kind, scope, key, request_hash, net, balance_after, debt_after, last_seq,
            order_id, provider, payment_id, actor, description, created_at)
        select transaction_id, account_id, 'expire', 'expire', transaction_id::text,
            sha256(convert_to(jsonb_build_array('expire', id, credits)::text, 'UTF8')), -credits, posted - so_far, debt,
            seq + nth, order_id, provider, payment_id, 'system', 'Expired', v_at
        from due
    ), entered as (
        insert into credit_entries (transaction_id, line, account_id, counter_id, lot_id, bucket, amount, account_seq,
            balance_after)
        select transaction_id, 1, account_id, v_counter, id, 'posted', -credits, seq + nth, posted - so_far from due
    ), drained as (
        update credit_lots lot set remaining = lot.remaining - due.credits from due where lot.id = due.id
    ), emptied as (
        update credit_accounts wallet set posted = wallet.posted - due.credits, seq = wallet.seq + due.lots
        from (select account_id, sum(credits)::bigint as credits, count(*) as lots from due group by account_id) due
        where wallet.id = due.account_id
    )
    select count(*), coalesce(sum(due.credits), 0)::bigint into lots, credits from due;
    return next;
end $$;

revoke execute on function credits_expire from public;
grant execute on function credits_expire to atlas_app;
