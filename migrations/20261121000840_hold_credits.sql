-- Holding credits for something under way: reserve, then capture up to the amount, or release. A hold names its lots when it
-- is made, so what it has reserved can still be captured when they have expired. The four steps are those of spending.

create function credits_reserve_batch(
    p_hold uuid[], p_scope text[], p_key text[], p_owner uuid[], p_credits bigint[], p_expires_at timestamptz[]
) returns table (place integer, outcome text, transaction_id uuid, net bigint, debt_change bigint, balance_after bigint,
    debt_after bigint)
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set jit = off
as $$
#variable_conflict use_column
declare
    v_lots_most bigint := 3;
    v_at timestamptz;
    v_attempt integer := 0;
    v_constraint text;
    v_item record;
    i integer;
    w integer;
    v_twin integer;
    v_left bigint;
    v_take bigint;
    w_id bigint[]; w_owner uuid[]; w_posted bigint[]; w_held bigint[]; w_before bigint[]; w_debt bigint[];
    w_free bigint[]; w_lot integer[]; w_lots integer[];
    l_wallet integer[]; l_id bigint[]; l_free bigint[]; l_taken bigint[];
    r_outcome text[]; r_hold uuid[]; r_wallet bigint[]; r_place integer[]; r_hash bytea[];
    d_place integer[]; d_key text[]; d integer;
    h_hold uuid[]; h_wallet bigint[]; h_lot bigint[]; h_amount bigint[]; h integer;
begin
    <<attempts>>
    loop
        v_attempt := v_attempt + 1;
        select array_agg(id), array_agg(owner_id), array_agg(posted), array_agg(held), array_agg(debt)
        into w_id, w_owner, w_posted, w_held, w_debt
        from (
            select id, owner_id, posted, held, debt from credit_accounts
            where owner_id = any (p_owner) and kind = 'wallet' order by id for no key update
        ) locked;
        w_before := w_held;
        v_at := clock_timestamp();

        select array_agg(wallet), array_agg(lot_id), array_agg(free) into l_wallet, l_id, l_free
        from credits_spendable(w_id, v_at, v_lots_most);
        w_free := array_fill(0::bigint, array[coalesce(cardinality(w_id), 0)]);
        w_lots := array_fill(0, array[coalesce(cardinality(w_id), 0)]);
        w_lot := w_lots;
        l_taken := array_fill(0::bigint, array[coalesce(cardinality(l_id), 0)]);
        for l in 1..coalesce(cardinality(l_id), 0) loop
            w := l_wallet[l];
            if w_lots[w] = 0 then
                w_lot[w] := l;
            end if;
            w_lots[w] := w_lots[w] + 1;
            w_free[w] := w_free[w] + l_free[l];
        end loop;

        i := 0; d := 0; h := 0;
        r_wallet := array_fill(null::bigint, array[cardinality(p_owner)]);
        r_place := array_fill(null::integer, array[cardinality(p_owner)]);
        r_hold := array_fill(null::uuid, array[cardinality(p_owner)]); r_outcome := '{}'; r_hash := '{}';
        d_place := '{}'; d_key := '{}'; h_hold := '{}'; h_wallet := '{}'; h_lot := '{}'; h_amount := '{}';
        for v_item in
            select item.hold, item.credits, length(item.scope) || ' ' || item.scope || item.key as full_key, asked.hash,
                array_position(w_owner, item.owner) as wallet, earlier.id as earlier_id,
                case
                    when (length(item.scope) between 1 and 100 and length(item.key) between 1 and 255 and item.credits > 0
                        and item.hold is not null) is not true then 'invalid'
                    when array_position(w_owner, item.owner) is null then 'no_wallet'
                    when earlier.id is not null then
                        case when earlier.request_hash = asked.hash then 'replayed' else 'key_reused' end
                    when item.expires_at <= v_at then 'invalid'
                end as refusal
            from unnest(p_hold, p_scope, p_key, p_owner, p_credits, p_expires_at) with ordinality
                as item (hold, scope, key, owner, credits, expires_at, place)
            cross join lateral (select sha256(convert_to(jsonb_build_array('reserve', item.owner, item.credits,
                extract(epoch from item.expires_at))::text, 'UTF8')) as hash) asked
            left join credit_holds earlier on earlier.scope = item.scope and earlier.key = item.key
            order by item.place
        loop
            i := i + 1;
            w := v_item.wallet;
            r_place[i] := w;
            r_outcome[i] := v_item.refusal;
            r_hash[i] := v_item.hash;
            if v_item.refusal = 'replayed' then
                r_hold[i] := v_item.earlier_id;
            end if;
            continue when v_item.refusal is not null;

            v_twin := d_place[array_position(d_key, v_item.full_key)];
            if v_twin is not null then
                r_outcome[i] := case when r_hash[v_twin] = v_item.hash then 'replayed' else 'key_reused' end;
                r_hold[i] := case when r_hash[v_twin] = v_item.hash then r_hold[v_twin] end;
            elsif w_debt[w] > 0 then
                r_outcome[i] := 'debt';
            elsif w_free[w] < v_item.credits then
                if w_lots[w] = v_lots_most then
                    v_lots_most := case when v_lots_most < 100 then 100 end;
                    continue attempts;
                end if;
                r_outcome[i] := 'not_enough';
            else
                r_outcome[i] := 'done';
                r_hold[i] := v_item.hold;
                r_wallet[i] := w_id[w];
                w_free[w] := w_free[w] - v_item.credits;
                w_held[w] := w_held[w] + v_item.credits;
                v_left := v_item.credits;
                while v_left > 0 loop
                    v_take := least(l_free[w_lot[w]], v_left);
                    v_left := v_left - v_take;
                    l_free[w_lot[w]] := l_free[w_lot[w]] - v_take;
                    l_taken[w_lot[w]] := l_taken[w_lot[w]] + v_take;
                    h := h + 1;
                    h_hold[h] := v_item.hold;
                    h_wallet[h] := w_id[w];
                    h_lot[h] := l_id[w_lot[w]];
                    h_amount[h] := v_take;
                    if l_free[w_lot[w]] = 0 then
                        w_lot[w] := w_lot[w] + 1;
                    end if;
                end loop;
                d := d + 1;
                d_place[d] := i;
                d_key[d] := v_item.full_key;
            end if;
        end loop;

        begin
            if d > 0 then
                insert into credit_holds (id, account_id, scope, key, request_hash, amount, expires_at)
                select item.hold, item.wallet, item.scope, item.key, item.hash, item.credits, item.expires_at
                from unnest(r_outcome, r_hold, r_wallet, p_scope, p_key, r_hash, p_credits, p_expires_at)
                    as item (outcome, hold, wallet, scope, key, hash, credits, expires_at)
                where item.outcome = 'done' order by item.scope, item.key;

                insert into credit_hold_lots (hold_id, account_id, lot_id, amount)
                select piece.hold, piece.wallet, piece.lot, piece.amount
                from unnest(h_hold, h_wallet, h_lot, h_amount) as piece (hold, wallet, lot, amount);

                update credit_lots lot set held = lot.held + reserved.taken
                from unnest(l_id, l_taken) as reserved (id, taken) where lot.id = reserved.id and reserved.taken > 0;

                update credit_accounts account set held = wallet.held
                from unnest(w_id, w_held, w_before) as wallet (id, held, before)
                where account.id = wallet.id and wallet.held <> wallet.before;
            end if;
            return query select ordinality::integer, item.outcome, item.hold, 0::bigint, 0::bigint, w_posted[item.wallet],
                w_debt[item.wallet]
            from unnest(r_outcome, r_hold, r_place) with ordinality as item (outcome, hold, wallet, ordinality);
            return;
        exception when unique_violation then
            get stacked diagnostics v_constraint = constraint_name;
            if v_attempt > 20 or v_constraint <> 'credit_holds_once' then
                raise;
            end if;
        end;
    end loop;
end $$;

-- Ends holds: p_captured of each is taken by the lots it names, in burn order; the rest is free again, and repays first what
-- is owed. Where nothing is captured no transaction is written, and the hold ends as p_state. A hold ends once: the same
-- again is replayed, another end is refused (closed, or key_reused for another capture).
create function credits_end_holds(
    p_transaction uuid[], p_hold uuid[], p_captured bigint[], p_counter text[], p_actor text[], p_description text[],
    p_state text
) returns table (place integer, outcome text, transaction_id uuid, net bigint, debt_change bigint, balance_after bigint,
    debt_after bigint)
language plpgsql
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set jit = off
as $$
#variable_conflict use_column
declare
    v_at timestamptz;
    v_item record;
    i integer := 0;
    w integer;
    v_twin integer;
    v_left bigint;
    v_take bigint;
    v_line integer;
    w_id bigint[]; w_posted bigint[]; w_held bigint[]; w_debt bigint[]; w_seq bigint[]; w_ended boolean[];
    -- The pieces of the holds that are still open, by item and in burn order.
    l_item integer[]; l_lot bigint[]; l_amount bigint[]; l_taken bigint[]; l integer := 1;
    r_outcome text[] := '{}'; r_transaction uuid[]; r_net bigint[]; r_posted bigint[]; r_debt bigint[];
    r_wallet bigint[]; r_hash bytea[] := '{}'; r_seq bigint[];
    d_place integer[] := '{}'; d_hold uuid[] := '{}'; d integer := 0;
    e_transaction uuid[] := '{}'; e_line integer[] := '{}'; e_wallet bigint[] := '{}'; e_counter bigint[] := '{}';
    e_lot bigint[] := '{}'; e_taken bigint[] := '{}'; e_seq bigint[] := '{}'; e_posted bigint[] := '{}'; e integer := 0;
begin
    select array_agg(id), array_agg(posted), array_agg(held), array_agg(debt), array_agg(seq)
    into w_id, w_posted, w_held, w_debt, w_seq
    from (
        select id, posted, held, debt, seq from credit_accounts
        where id = any (array(select hold.account_id from unnest(p_hold) as item (id) join credit_holds hold on hold.id = item.id))
        order by id for no key update
    ) locked;
    w_ended := array_fill(false, array[coalesce(cardinality(w_id), 0)]);
    v_at := clock_timestamp();

    select array_agg(item), array_agg(lot_id), array_agg(amount) into l_item, l_lot, l_amount
    from (
        select item.place::integer as item, piece.lot_id, piece.amount
        from unnest(p_hold) with ordinality as item (id, place)
        join credit_holds hold on hold.id = item.id and hold.state = 'open'
        join credit_hold_lots piece on piece.hold_id = hold.id
        join credit_lots lot on lot.id = piece.lot_id
        order by item.place, lot.priority, lot.expires_at, lot.id
    ) pieces;
    l_taken := array_fill(0::bigint, array[coalesce(cardinality(l_lot), 0)]);

    r_net := array_fill(null::bigint, array[cardinality(p_hold)]);
    r_posted := r_net; r_debt := r_net; r_wallet := r_net; r_seq := r_net;
    r_transaction := array_fill(null::uuid, array[cardinality(p_hold)]);
    for v_item in
        select item.transaction, item.hold, item.captured, asked.hash, hold.amount, hold.state,
            array_position(w_id, hold.account_id) as wallet, counter.id as counter_id, earlier.id as earlier_id, earlier.net,
            earlier.balance_after, earlier.debt_after,
            case
                when (hold.id is not null and hold.payment_id is null and item.captured between 0 and hold.amount
                    and (item.captured = 0 or item.transaction is not null and item.counter is not null
                        and length(item.actor) between 1 and 200 and length(item.description) between 1 and 500)
                    ) is not true then 'invalid'
                when hold.state = 'captured' then
                    case when earlier.request_hash = asked.hash then 'replayed'
                        when item.captured = 0 then 'closed' else 'key_reused' end
                when hold.state <> 'open' then case when item.captured = 0 then 'replayed' else 'closed' end
                when item.captured > 0 and hold.expires_at <= v_at then 'closed'
                when item.captured > 0 and counter.id is null then 'no_account'
            end as refusal
        from unnest(p_transaction, p_hold, p_captured, p_counter, p_actor, p_description) with ordinality
            as item (transaction, hold, captured, counter, actor, description, place)
        cross join lateral (select sha256(convert_to(
            jsonb_build_array('capture', item.hold, item.captured, item.counter)::text, 'UTF8')) as hash) asked
        left join credit_holds hold on hold.id = item.hold
        left join credit_accounts counter on counter.code = item.counter
        left join credit_transactions earlier on earlier.scope = 'hold' and earlier.key = item.hold::text
        order by item.place
    loop
        i := i + 1;
        w := v_item.wallet;
        r_outcome[i] := v_item.refusal;
        r_hash[i] := v_item.hash;
        if v_item.refusal = 'replayed' then
            r_transaction[i] := v_item.earlier_id;
            r_net[i] := coalesce(v_item.net, 0);
            r_posted[i] := coalesce(v_item.balance_after, w_posted[w]);
            r_debt[i] := coalesce(v_item.debt_after, w_debt[w]);
        end if;
        continue when v_item.refusal is not null;

        v_twin := d_place[array_position(d_hold, v_item.hold)];
        if v_twin is not null then
            if p_captured[v_twin] = v_item.captured and r_hash[v_twin] = v_item.hash then
                r_outcome[i] := 'replayed';
                r_transaction[i] := r_transaction[v_twin];
                r_net[i] := r_net[v_twin];
                r_posted[i] := r_posted[v_twin];
                r_debt[i] := r_debt[v_twin];
            elsif v_item.captured > 0 and p_captured[v_twin] > 0 then
                r_outcome[i] := 'key_reused';
            else
                r_outcome[i] := 'closed';
            end if;
            continue;
        end if;

        r_outcome[i] := 'done';
        w_ended[w] := true;
        w_held[w] := w_held[w] - v_item.amount;
        v_left := v_item.captured;
        v_line := 0;
        while l_item[l] < i loop
            l := l + 1;
        end loop;
        while v_left > 0 loop
            v_take := least(l_amount[l], v_left);
            v_left := v_left - v_take;
            l_taken[l] := v_take;
            w_posted[w] := w_posted[w] - v_take;
            w_seq[w] := w_seq[w] + 1;
            v_line := v_line + 1;
            e := e + 1;
            e_transaction[e] := v_item.transaction;
            e_line[e] := v_line;
            e_wallet[e] := w_id[w];
            e_counter[e] := v_item.counter_id;
            e_lot[e] := l_lot[l];
            e_taken[e] := v_take;
            e_seq[e] := w_seq[w];
            e_posted[e] := w_posted[w];
            l := l + 1;
        end loop;
        r_transaction[i] := case when v_item.captured > 0 then v_item.transaction end;
        r_net[i] := -v_item.captured;
        r_posted[i] := w_posted[w];
        r_debt[i] := w_debt[w];
        r_wallet[i] := w_id[w];
        r_seq[i] := w_seq[w];
        d := d + 1;
        d_place[d] := i;
        d_hold[d] := v_item.hold;
    end loop;

    if d > 0 then
        insert into credit_transactions (id, account_id, kind, scope, key, request_hash, net, balance_after, debt_after,
            last_seq, actor, description, created_at)
        select item.id, item.wallet, 'capture', 'hold', item.hold::text, item.hash, item.net, item.posted, item.debt, item.seq,
            item.actor, item.description, v_at
        from unnest(r_outcome, r_transaction, r_wallet, p_hold, r_hash, r_net, r_posted, r_debt, r_seq, p_actor, p_description)
            as item (outcome, id, wallet, hold, hash, net, posted, debt, seq, actor, description)
        where item.outcome = 'done' and item.net < 0;

        insert into credit_entries (transaction_id, line, account_id, counter_id, lot_id, bucket, amount, account_seq,
            balance_after)
        select entry.transaction, entry.line, entry.wallet, entry.counter, entry.lot, 'posted', -entry.taken, entry.seq,
            entry.posted
        from unnest(e_transaction, e_line, e_wallet, e_counter, e_lot, e_taken, e_seq, e_posted)
            as entry (transaction, line, wallet, counter, lot, taken, seq, posted);

        -- A repeated hold's pieces are listed at its first item only: the others are not done.
        update credit_lots lot set remaining = lot.remaining - ended.taken, held = lot.held - ended.amount
        from (
            select piece.lot, sum(piece.taken)::bigint as taken, sum(piece.amount)::bigint as amount
            from unnest(l_item, l_lot, l_amount, l_taken) as piece (item, lot, amount, taken)
            where r_outcome[piece.item] = 'done' group by piece.lot
        ) ended where lot.id = ended.lot;

        update credit_holds hold set captured = -item.net, state = case when item.net < 0 then 'captured' else p_state end
        from unnest(r_outcome, p_hold, r_net) as item (outcome, id, net) where item.outcome = 'done' and hold.id = item.id;

        update credit_accounts account set posted = wallet.posted, held = wallet.held, seq = wallet.seq
        from unnest(w_id, w_posted, w_held, w_seq, w_ended) as wallet (id, posted, held, seq, ended)
        where account.id = wallet.id and wallet.ended;

        for w in 1..cardinality(w_id) loop
            if w_ended[w] and w_debt[w] > 0 then
                perform credits_repay(w_id[w], v_at);
            end if;
        end loop;
    end if;
    return query select ordinality::integer, item.outcome, item.transaction, item.net,
        case when item.net is not null then 0::bigint end, item.posted, item.debt
    from unnest(r_outcome, r_transaction, r_net, r_posted, r_debt) with ordinality
        as item (outcome, transaction, net, posted, debt, ordinality);
end $$;

create function credits_capture_batch(
    p_transaction uuid[], p_hold uuid[], p_captured bigint[], p_counter text[], p_actor text[], p_description text[]
) returns table (place integer, outcome text, transaction_id uuid, net bigint, debt_change bigint, balance_after bigint,
    debt_after bigint)
language sql security definer set search_path = public, pg_temp as $$
    select * from credits_end_holds(p_transaction, p_hold, p_captured, p_counter, p_actor, p_description, 'released');
$$;

create function credits_release_batch(p_hold uuid[])
returns table (place integer, outcome text, transaction_id uuid, net bigint, debt_change bigint, balance_after bigint,
    debt_after bigint)
language sql security definer set search_path = public, pg_temp as $$
    select * from credits_end_holds(null, p_hold, array_fill(0::bigint, array[cardinality(p_hold)]), null, null, null, 'released');
$$;

revoke execute on function credits_reserve_batch, credits_end_holds, credits_capture_batch, credits_release_batch from public;
grant execute on function credits_reserve_batch, credits_capture_batch, credits_release_batch to atlas_app;
