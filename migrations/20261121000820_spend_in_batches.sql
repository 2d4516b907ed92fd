-- Spending: the four steps of granting, and the lots walked in burn order between looking up and deciding. Items of one wallet
-- are decided one after the other in memory, so a wallet that runs dry, or owes, or meets a key twice, needs no other way.

-- The lots of each wallet that can be spent at p_at, in burn order, the first p_most of each (null: all).
create function credits_spendable(p_account bigint[], p_at timestamptz, p_most bigint)
returns table (wallet integer, lot_id bigint, free bigint)
language sql stable set search_path = public, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
    select account.place::integer, lot.id, lot.free
    from unnest(p_account) with ordinality as account (id, place)
    cross join lateral (
        select id, remaining - held as free, priority, expires_at from credit_lots
        where account_id = account.id and is_open and remaining > held and (expires_at is null or expires_at > p_at)
        order by priority, expires_at, id limit p_most
    ) lot
    order by account.place, lot.priority, lot.expires_at, lot.id;
$$;

create function credits_spend_batch(
    p_transaction uuid[], p_scope text[], p_key text[], p_owner uuid[], p_credits bigint[], p_counter text[], p_actor text[],
    p_description text[]
) returns table (place integer, outcome text, transaction_id uuid, net bigint, debt_change bigint, balance_after bigint,
    debt_after bigint)
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set jit = off
as $$
#variable_conflict use_column
declare
    -- Lots to look at in each wallet; more, then all of them, if these should not be enough.
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
    -- The wallets and their lots, as they become. A wallet's lots stand together; w_lot is the first that has something left.
    w_id bigint[]; w_owner uuid[]; w_posted bigint[]; w_debt bigint[]; w_seq bigint[];
    w_free bigint[]; w_lot integer[]; w_lots integer[];
    l_wallet integer[]; l_id bigint[]; l_free bigint[]; l_taken bigint[]; l integer;
    -- The items, by place.
    r_outcome text[]; r_transaction uuid[]; r_net bigint[]; r_posted bigint[]; r_debt bigint[];
    r_wallet bigint[]; r_hash bytea[]; r_seq bigint[];
    -- Those that are done, to find repetitions within the batch.
    d_place integer[]; d_key text[]; d integer;
    -- The entries.
    e_transaction uuid[]; e_line integer[]; e_wallet bigint[]; e_counter bigint[]; e_lot bigint[]; e_taken bigint[];
    e_seq bigint[]; e_posted bigint[]; e integer; v_line integer;
begin
    <<attempts>>
    loop
        v_attempt := v_attempt + 1;
        select array_agg(id), array_agg(owner_id), array_agg(posted), array_agg(debt), array_agg(seq)
        into w_id, w_owner, w_posted, w_debt, w_seq
        from (
            select id, owner_id, posted, debt, seq from credit_accounts
            where owner_id = any (p_owner) and kind = 'wallet' order by id for no key update
        ) locked;
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

        i := 0; d := 0; e := 0;
        r_net := array_fill(null::bigint, array[cardinality(p_owner)]);
        r_posted := r_net; r_debt := r_net; r_wallet := r_net; r_seq := r_net;
        r_transaction := array_fill(null::uuid, array[cardinality(p_owner)]); r_outcome := '{}'; r_hash := '{}';
        d_place := '{}'; d_key := '{}';
        e_transaction := '{}'; e_line := '{}'; e_wallet := '{}'; e_counter := '{}'; e_lot := '{}'; e_taken := '{}';
        e_seq := '{}'; e_posted := '{}';
        for v_item in
            select item.transaction, item.credits, length(item.scope) || ' ' || item.scope || item.key as full_key, asked.hash,
                array_position(w_owner, item.owner) as wallet, counter.id as counter_id, earlier.id as earlier_id,
                earlier.net, earlier.balance_after, earlier.debt_after,
                case
                    when (length(item.scope) between 1 and 100 and length(item.key) between 1 and 255 and item.credits > 0
                        and item.transaction is not null and item.counter is not null
                        and length(item.actor) between 1 and 200 and length(item.description) between 1 and 500
                        ) is not true then 'invalid'
                    when array_position(w_owner, item.owner) is null then 'no_wallet'
                    when earlier.id is not null then
                        case when earlier.request_hash = asked.hash then 'replayed' else 'key_reused' end
                    when counter.id is null then 'no_account'
                end as refusal
            from unnest(p_transaction, p_scope, p_key, p_owner, p_credits, p_counter, p_actor, p_description) with ordinality
                as item (transaction, scope, key, owner, credits, counter, actor, description, place)
            cross join lateral (select sha256(convert_to(
                jsonb_build_array('spend', item.owner, item.credits, item.counter)::text, 'UTF8')) as hash) asked
            left join credit_accounts counter on counter.code = item.counter
            left join credit_transactions earlier on earlier.scope = item.scope and earlier.key = item.key
            order by item.place
        loop
            i := i + 1;
            w := v_item.wallet;
            r_outcome[i] := v_item.refusal;
            r_hash[i] := v_item.hash;
            if v_item.refusal = 'replayed' then
                r_transaction[i] := v_item.earlier_id;
                r_net[i] := v_item.net;
                r_posted[i] := v_item.balance_after;
                r_debt[i] := v_item.debt_after;
            end if;
            continue when v_item.refusal is not null;

            v_twin := d_place[array_position(d_key, v_item.full_key)];
            if v_twin is not null then
                if r_hash[v_twin] = v_item.hash then
                    r_outcome[i] := 'replayed';
                    r_transaction[i] := r_transaction[v_twin];
                    r_net[i] := r_net[v_twin];
                    r_posted[i] := r_posted[v_twin];
                    r_debt[i] := r_debt[v_twin];
                else
                    r_outcome[i] := 'key_reused';
                end if;
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
                w_free[w] := w_free[w] - v_item.credits;
                v_left := v_item.credits;
                v_line := 0;
                while v_left > 0 loop
                    l := w_lot[w];
                    v_take := least(l_free[l], v_left);
                    v_left := v_left - v_take;
                    l_free[l] := l_free[l] - v_take;
                    l_taken[l] := l_taken[l] + v_take;
                    if l_free[l] = 0 then
                        w_lot[w] := l + 1;
                    end if;
                    w_posted[w] := w_posted[w] - v_take;
                    w_seq[w] := w_seq[w] + 1;
                    v_line := v_line + 1;
                    e := e + 1;
                    e_transaction[e] := v_item.transaction;
                    e_line[e] := v_line;
                    e_wallet[e] := w_id[w];
                    e_counter[e] := v_item.counter_id;
                    e_lot[e] := l_id[l];
                    e_taken[e] := v_take;
                    e_seq[e] := w_seq[w];
                    e_posted[e] := w_posted[w];
                end loop;
                r_transaction[i] := v_item.transaction;
                r_net[i] := -v_item.credits;
                r_posted[i] := w_posted[w];
                r_debt[i] := 0;
                r_wallet[i] := w_id[w];
                r_seq[i] := w_seq[w];
                d := d + 1;
                d_place[d] := i;
                d_key[d] := v_item.full_key;
            end if;
        end loop;

        begin
            if d > 0 then
                insert into credit_transactions (id, account_id, kind, scope, key, request_hash, net, balance_after, debt_after,
                    last_seq, actor, description, created_at)
                select item.id, item.wallet, 'spend', item.scope, item.key, item.hash, item.net, item.posted, 0, item.seq,
                    item.actor, item.description, v_at
                from unnest(r_outcome, r_transaction, r_wallet, p_scope, p_key, r_hash, r_net, r_posted, r_seq, p_actor,
                    p_description)
                    as item (outcome, id, wallet, scope, key, hash, net, posted, seq, actor, description)
                where item.outcome = 'done' order by item.scope, item.key;

                insert into credit_entries (transaction_id, line, account_id, counter_id, lot_id, bucket, amount, account_seq,
                    balance_after)
                select entry.transaction, entry.line, entry.wallet, entry.counter, entry.lot, 'posted', -entry.taken, entry.seq,
                    entry.posted
                from unnest(e_transaction, e_line, e_wallet, e_counter, e_lot, e_taken, e_seq, e_posted)
                    as entry (transaction, line, wallet, counter, lot, taken, seq, posted);

                update credit_lots lot set remaining = lot.remaining - drained.taken
                from unnest(l_id, l_taken) as drained (id, taken) where lot.id = drained.id and drained.taken > 0;

                update credit_accounts account set posted = wallet.posted, seq = wallet.seq
                from unnest(w_id, w_posted, w_seq) as wallet (id, posted, seq)
                where account.id = wallet.id and account.seq <> wallet.seq;
            end if;
            return query select ordinality::integer, item.outcome, item.transaction, item.net,
                case when item.net is not null then 0::bigint end, item.posted, item.debt
            from unnest(r_outcome, r_transaction, r_net, r_posted, r_debt) with ordinality
                as item (outcome, transaction, net, posted, debt, ordinality);
            return;
        exception when unique_violation then
            -- Somebody with another wallet took one of the keys since we looked, and has committed.
            get stacked diagnostics v_constraint = constraint_name;
            if v_attempt > 20 or v_constraint <> 'credit_transactions_once' then
                raise;
            end if;
        end;
    end loop;
end $$;

create or replace function credits_spend(
    p_transaction uuid, p_scope text, p_key text, p_owner uuid, p_credits bigint, p_counter text, p_actor text,
    p_description text
) returns table (transaction_id uuid, replayed boolean, net bigint, debt_change bigint, balance_after bigint, debt_after bigint)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    v_moved record;
begin
    select * into v_moved from credits_spend_batch(array[p_transaction], array[p_scope], array[p_key], array[p_owner],
        array[p_credits], array[p_counter], array[p_actor], array[p_description]);
    perform credits_refuse(v_moved.outcome, p_scope, p_key, p_owner, p_counter);
    return query select v_moved.transaction_id, v_moved.outcome = 'replayed', v_moved.net, v_moved.debt_change,
        v_moved.balance_after, v_moved.debt_after;
end $$;

drop function credits_allocate;
drop function credits_replay;

revoke execute on function credits_spendable, credits_spend_batch from public;
grant execute on function credits_spend_batch to atlas_app;
