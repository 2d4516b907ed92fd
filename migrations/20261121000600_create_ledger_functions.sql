-- The only doors through which credits move. Each is one round trip, in one order: lock the wallet, claim the key,
-- move lots, write entries. A repeated request gets the first answer; another request under the same key is refused.
--
-- Errors: AC001 the key was used for another request; AC002 not enough credits; AC003 debt is outstanding;
-- AC004 no such wallet; AC005 no such system account.

create function credits_open_wallet(p_owner uuid) returns bigint
language sql security definer set search_path = public, pg_temp as $$
    insert into credit_accounts (kind, owner_id) values ('wallet', p_owner) returning id;
$$;

-- The stored answer of an earlier request under this key, if there was one and it asked for the same.
create function credits_replay(p_scope text, p_key text, p_hash bytea) returns credit_transactions
language plpgsql stable set search_path = public, pg_temp as $$
declare
    earlier credit_transactions;
begin
    select * into earlier from credit_transactions where scope = p_scope and key = p_key;
    if found and earlier.request_hash <> p_hash then
        raise exception 'the key % was used for another request in %', p_key, p_scope using errcode = 'AC001';
    end if;
    return earlier;
end $$;

-- Adds a lot. What the wallet owes is repaid from it first, in the same transaction.
create function credits_grant(
    p_transaction uuid, p_scope text, p_key text, p_owner uuid, p_credits bigint, p_counter text, p_source text,
    p_priority smallint, p_expires_at timestamptz, p_order uuid, p_provider text, p_payment text, p_paid_minor bigint,
    p_currency text, p_actor text, p_description text
) returns table (transaction_id uuid, replayed boolean, net bigint, debt_change bigint, balance_after bigint, debt_after bigint)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    v_hash bytea := sha256(convert_to(jsonb_build_array('grant', p_owner, p_credits, p_counter, p_source, p_priority,
        extract(epoch from p_expires_at), p_order, p_provider, p_payment, p_paid_minor, p_currency)::text, 'UTF8'));
    v_wallet credit_accounts;
    v_counter bigint;
    v_debt_account bigint;
    v_repaid bigint;
    v_lot bigint;
    v_earlier credit_transactions;
begin
    select * into v_wallet from credit_accounts where owner_id = p_owner and kind = 'wallet' for no key update;
    if not found then
        raise exception 'no wallet for %', p_owner using errcode = 'AC004';
    end if;

    v_earlier := credits_replay(p_scope, p_key, v_hash);
    if v_earlier.id is not null then
        return query select v_earlier.id, true, v_earlier.net, v_earlier.debt_change, v_earlier.balance_after,
            v_earlier.debt_after;
        return;
    end if;

    select id into v_counter from credit_accounts where code = p_counter;
    if not found then
        raise exception 'no system account %', p_counter using errcode = 'AC005';
    end if;

    v_repaid := least(v_wallet.debt, p_credits);
    insert into credit_transactions (id, account_id, kind, scope, key, request_hash, net, debt_change, balance_after,
        debt_after, last_seq, order_id, provider, payment_id, actor, description)
    values (p_transaction, v_wallet.id, 'grant', p_scope, p_key, v_hash, p_credits - v_repaid, -v_repaid,
        v_wallet.posted + p_credits - v_repaid, v_wallet.debt - v_repaid,
        v_wallet.seq + case when v_repaid > 0 then 3 else 1 end, p_order, p_provider, p_payment, p_actor, p_description);

    insert into credit_lots (account_id, transaction_id, source, priority, granted, remaining, expires_at, order_id,
        provider, payment_id, paid_minor, currency)
    values (v_wallet.id, p_transaction, p_source, p_priority, p_credits, p_credits - v_repaid, p_expires_at, p_order,
        p_provider, p_payment, p_paid_minor, p_currency)
    returning id into v_lot;

    insert into credit_entries (transaction_id, line, account_id, counter_id, lot_id, bucket, amount, account_seq, balance_after)
    values (p_transaction, 1, v_wallet.id, v_counter, v_lot, 'posted', p_credits, v_wallet.seq + 1, v_wallet.posted + p_credits);
    if v_repaid > 0 then
        select id into v_debt_account from credit_accounts where code = 'debt';
        insert into credit_entries (transaction_id, line, account_id, counter_id, lot_id, bucket, amount, account_seq, balance_after)
        values
            (p_transaction, 2, v_wallet.id, v_debt_account, v_lot, 'posted', -v_repaid, v_wallet.seq + 2,
                v_wallet.posted + p_credits - v_repaid),
            (p_transaction, 3, v_wallet.id, v_debt_account, null, 'debt', -v_repaid, v_wallet.seq + 3,
                v_wallet.debt - v_repaid);
    end if;

    update credit_accounts set posted = posted + p_credits - v_repaid, debt = debt - v_repaid,
        seq = seq + case when v_repaid > 0 then 3 else 1 end
    where id = v_wallet.id;

    return query select p_transaction, false, p_credits - v_repaid, -v_repaid, v_wallet.posted + p_credits - v_repaid,
        v_wallet.debt - v_repaid;
end $$;

-- Takes credits from the wallet's lots in burn order. All or nothing; never below zero; not while debt stands.
create function credits_spend(
    p_transaction uuid, p_scope text, p_key text, p_owner uuid, p_credits bigint, p_counter text, p_actor text,
    p_description text
) returns table (transaction_id uuid, replayed boolean, net bigint, debt_change bigint, balance_after bigint, debt_after bigint)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    v_hash bytea := sha256(convert_to(jsonb_build_array('spend', p_owner, p_credits, p_counter)::text, 'UTF8'));
    v_wallet credit_accounts;
    v_counter bigint;
    v_earlier credit_transactions;
    v_taken bigint;
    v_lines bigint;
begin
    if p_credits is null or p_credits < 1 then
        raise exception 'a spend takes at least one credit' using errcode = '22003';
    end if;

    select * into v_wallet from credit_accounts where owner_id = p_owner and kind = 'wallet' for no key update;
    if not found then
        raise exception 'no wallet for %', p_owner using errcode = 'AC004';
    end if;

    v_earlier := credits_replay(p_scope, p_key, v_hash);
    if v_earlier.id is not null then
        return query select v_earlier.id, true, v_earlier.net, v_earlier.debt_change, v_earlier.balance_after,
            v_earlier.debt_after;
        return;
    end if;

    select id into v_counter from credit_accounts where code = p_counter;
    if not found then
        raise exception 'no system account %', p_counter using errcode = 'AC005';
    end if;
    if v_wallet.debt > 0 then
        raise exception '% credits are owed', v_wallet.debt using errcode = 'AC003';
    end if;

    -- How much of the lots in burn order it takes, before anything is written.
    select coalesce(sum(taken), 0), count(*) into v_taken, v_lines from credits_allocate(v_wallet.id, p_credits);
    if v_taken < p_credits then
        raise exception '% credits asked for, % available', p_credits, v_taken using errcode = 'AC002';
    end if;

    insert into credit_transactions (id, account_id, kind, scope, key, request_hash, net, balance_after, debt_after,
        last_seq, actor, description)
    values (p_transaction, v_wallet.id, 'spend', p_scope, p_key, v_hash, -p_credits, v_wallet.posted - p_credits, 0,
        v_wallet.seq + v_lines, p_actor, p_description);

    with allocated as (
        select lot_id, taken, row_number() over (order by place) as line,
            sum(taken) over (order by place) as taken_so_far
        from credits_allocate(v_wallet.id, p_credits)
    ), drained as (
        update credit_lots lot set remaining = lot.remaining - allocated.taken
        from allocated where lot.id = allocated.lot_id
    )
    insert into credit_entries (transaction_id, line, account_id, counter_id, lot_id, bucket, amount, account_seq, balance_after)
    select p_transaction, line, v_wallet.id, v_counter, lot_id, 'posted', -taken, v_wallet.seq + line,
        v_wallet.posted - taken_so_far
    from allocated order by line;

    update credit_accounts set posted = posted - p_credits, seq = seq + v_lines where id = v_wallet.id;

    return query select p_transaction, false, -p_credits, 0::bigint, v_wallet.posted - p_credits, 0::bigint;
end $$;

-- The lots that would give p_credits, and how much of each: what is neither held nor past its expiry.
create function credits_allocate(p_account bigint, p_credits bigint)
returns table (lot_id bigint, taken bigint, place bigint)
language sql stable set search_path = public, pg_temp as $$
    select id, least(free, p_credits - before), place
    from (
        select id, remaining - held as free,
            coalesce(sum(remaining - held) over (burn rows between unbounded preceding and 1 preceding), 0)::bigint as before,
            row_number() over burn as place
        from credit_lots
        where account_id = p_account and remaining > 0 and remaining > held and (expires_at is null or expires_at > now())
        window burn as (order by priority, expires_at, id)
    ) open
    where before < p_credits;
$$;
