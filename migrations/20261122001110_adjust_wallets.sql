-- Credits taken by hand, and debts forgiven: what no payment, spend or expiry explains. Giving is a grant as others are.

-- Takes p_taken free credits in burn order, or lets p_forgiven of what is owed go; one of the two is zero. All or nothing. What
-- is held stays held: taking never touches it.
create function credits_adjust(
    p_transaction uuid, p_scope text, p_key text, p_owner uuid, p_taken bigint, p_forgiven bigint, p_actor text,
    p_description text
) returns table (transaction_id uuid, replayed boolean, net bigint, debt_change bigint, balance_after bigint, debt_after bigint)
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set jit = off
as $$
#variable_conflict use_column
declare
    v_hash bytea := sha256(convert_to(jsonb_build_array('adjust', p_owner, p_taken, p_forgiven)::text, 'UTF8'));
    v_at timestamptz;
    v_counter bigint;
    v_wallet credit_accounts;
    v_earlier credit_transactions;
    v_lots bigint[];
    v_amounts bigint[];
    v_found bigint;
    v_lines integer;
begin
    if (p_transaction is not null and length(p_scope) between 1 and 100 and length(p_key) between 1 and 255
        and p_taken between 0 and 1000000000000 and p_forgiven between 0 and 1000000000000
        and (p_taken = 0) <> (p_forgiven = 0)
        and length(p_actor) between 1 and 200 and length(p_description) between 1 and 500) is not true then
        perform credits_refuse('invalid', p_scope, p_key, p_owner, 'manual');
    end if;
    select * into v_wallet from credit_accounts where owner_id = p_owner and kind = 'wallet' for no key update;
    if v_wallet.id is null then
        perform credits_refuse('no_wallet', p_scope, p_key, p_owner, 'manual');
    end if;
    select * into v_earlier from credit_transactions where scope = p_scope and key = p_key;
    if v_earlier.id is not null then
        perform credits_refuse(case when v_earlier.request_hash = v_hash then 'replayed' else 'key_reused' end, p_scope, p_key,
            p_owner, 'manual');
        return query select v_earlier.id, true, v_earlier.net, v_earlier.debt_change, v_earlier.balance_after,
            v_earlier.debt_after;
        return;
    end if;
    v_at := clock_timestamp();
    select id into v_counter from credit_accounts where code = 'manual';
    select array_agg(lot_id order by place), array_agg(taken order by place), coalesce(sum(taken), 0)
    into v_lots, v_amounts, v_found
    from credits_allocate(v_wallet.id, p_taken, v_at, null, null);
    if v_found < p_taken or v_wallet.debt < p_forgiven then
        perform credits_refuse('not_enough', p_scope, p_key, p_owner, 'manual');
    end if;
    v_lines := coalesce(cardinality(v_lots), 0) + case when p_forgiven > 0 then 1 else 0 end;

    insert into credit_transactions (id, account_id, kind, scope, key, request_hash, net, debt_change, balance_after, debt_after,
        last_seq, actor, description, created_at)
    values (p_transaction, v_wallet.id, 'adjust', p_scope, p_key, v_hash, -p_taken, -p_forgiven, v_wallet.posted - p_taken,
        v_wallet.debt - p_forgiven, v_wallet.seq + v_lines, p_actor, p_description, v_at);
    insert into credit_entries (transaction_id, line, account_id, counter_id, lot_id, bucket, amount, account_seq, balance_after)
    select p_transaction, lot.line, v_wallet.id, v_counter, lot.id, 'posted', -lot.amount, v_wallet.seq + lot.line,
        v_wallet.posted - sum(lot.amount) over (order by lot.line)
    from unnest(v_lots, v_amounts) with ordinality as lot (id, amount, line)
    union all
    select p_transaction, v_lines, v_wallet.id, v_counter, null, 'debt', -p_forgiven, v_wallet.seq + v_lines,
        v_wallet.debt - p_forgiven
    where p_forgiven > 0;
    update credit_lots lot set remaining = lot.remaining - drained.amount
    from unnest(v_lots, v_amounts) as drained (id, amount) where lot.id = drained.id;
    update credit_accounts set posted = posted - p_taken, debt = debt - p_forgiven, seq = seq + v_lines where id = v_wallet.id;
    return query select p_transaction, false, -p_taken, -p_forgiven, v_wallet.posted - p_taken, v_wallet.debt - p_forgiven;
end $$;

revoke execute on function credits_adjust from public;
grant execute on function credits_adjust to atlas_app;
