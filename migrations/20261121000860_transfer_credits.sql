-- From wallet to wallet, as two transactions that meet in the account `transit`, so that each entry keeps one wallet side and
-- `transit` is empty whenever one looks. The lots' priority and expiry go with the credits; what the receiver owes is repaid
-- from them at once. Transfers are rare: items go one after the other.
create function credits_transfer_batch(
    p_transaction uuid[], p_scope text[], p_key text[], p_from uuid[], p_to uuid[], p_credits bigint[], p_actor text[],
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
    v_most constant bigint := 1000000000000000;
    v_at timestamptz;
    v_transit bigint;
    v_hash bytea;
    v_earlier credit_transactions;
    v_from credit_accounts;
    v_to credit_accounts;
    v_in uuid;
    v_lots bigint[];
    v_new_lots bigint[];
    v_taken bigint[];
    v_found bigint;
    v_lines integer;
    v_attempt integer;
    v_constraint text;
begin
    select id into v_transit from credit_accounts where code = 'transit';
    perform from credit_accounts where owner_id = any (p_from || p_to) and kind = 'wallet' order by id for no key update;
    v_at := clock_timestamp();

    for i in 1..coalesce(cardinality(p_transaction), 0) loop
        v_attempt := 0;
        v_hash := sha256(convert_to(jsonb_build_array('transfer', p_from[i], p_to[i], p_credits[i])::text, 'UTF8'));
        loop
            v_attempt := v_attempt + 1;
            place := i; transaction_id := null; net := null; debt_change := null; balance_after := null; debt_after := null;
            select * into v_from from credit_accounts where owner_id = p_from[i] and kind = 'wallet';
            select * into v_to from credit_accounts where owner_id = p_to[i] and kind = 'wallet';
            select * into v_earlier from credit_transactions where scope = p_scope[i] and key = p_key[i];
            if (length(p_scope[i]) between 1 and 100 and length(p_key[i]) between 1 and 255 and p_from[i] <> p_to[i]
                and p_transaction[i] is not null and p_credits[i] > 0 and length(p_actor[i]) between 1 and 200
                and length(p_description[i]) between 1 and 500) is not true then
                outcome := 'invalid';
            elsif v_from.id is null or v_to.id is null then
                outcome := 'no_wallet';
            elsif v_earlier.id is not null and v_earlier.request_hash <> v_hash then
                outcome := 'key_reused';
            elsif v_earlier.id is not null then
                outcome := 'replayed';
                transaction_id := v_earlier.id;
                net := v_earlier.net;
                debt_change := v_earlier.debt_change;
                balance_after := v_earlier.balance_after;
                debt_after := v_earlier.debt_after;
            elsif v_from.debt > 0 then
                outcome := 'debt';
            else
                select array_agg(lot_id order by place), array_agg(taken order by place), coalesce(sum(taken), 0), count(*)
                into v_lots, v_taken, v_found, v_lines
                from credits_allocate(v_from.id, p_credits[i], v_at, null, null);
                outcome := case when v_found < p_credits[i] then 'not_enough'
                    when v_to.posted > v_most - v_found then 'invalid' else 'done' end;
            end if;
            exit when outcome <> 'done';

            begin
                v_in := gen_random_uuid();
                insert into credit_transactions (id, account_id, kind, scope, key, request_hash, net, balance_after, debt_after,
                    last_seq, actor, description, created_at)
                values
                    (p_transaction[i], v_from.id, 'transfer', p_scope[i], p_key[i], v_hash, -v_found, v_from.posted - v_found, 0,
                        v_from.seq + v_lines, p_actor[i], p_description[i], v_at),
                    (v_in, v_to.id, 'transfer', 'transfer', p_transaction[i]::text, v_hash, v_found, v_to.posted + v_found,
                        v_to.debt, v_to.seq + v_lines, p_actor[i], p_description[i], v_at);
                select array_agg(nextval('credit_lots_id_seq')) into v_new_lots from unnest(v_lots);
                insert into credit_lots (id, account_id, transaction_id, source, priority, granted, remaining, expires_at)
                overriding system value
                select moved.new_id, v_to.id, v_in, 'transfer', lot.priority, moved.taken, moved.taken, lot.expires_at
                from unnest(v_new_lots, v_lots, v_taken) as moved (new_id, id, taken) join credit_lots lot on lot.id = moved.id;
                update credit_lots lot set remaining = lot.remaining - moved.taken
                from unnest(v_lots, v_taken) as moved (id, taken) where lot.id = moved.id;
                insert into credit_entries (transaction_id, line, account_id, counter_id, lot_id, bucket, amount, account_seq,
                    balance_after)
                select p_transaction[i], moved.line, v_from.id, v_transit, moved.id, 'posted', -moved.taken,
                    v_from.seq + moved.line, v_from.posted - sum(moved.taken) over (order by moved.line)
                from unnest(v_lots, v_taken) with ordinality as moved (id, taken, line)
                union all
                select v_in, moved.line, v_to.id, v_transit, moved.id, 'posted', moved.taken,
                    v_to.seq + moved.line, v_to.posted + sum(moved.taken) over (order by moved.line)
                from unnest(v_new_lots, v_taken) with ordinality as moved (id, taken, line);
                update credit_accounts set posted = posted - v_found, seq = seq + v_lines where id = v_from.id;
                update credit_accounts set posted = posted + v_found, seq = seq + v_lines where id = v_to.id;
                perform credits_repay(v_to.id, v_at);
                transaction_id := p_transaction[i];
                net := -v_found;
                debt_change := 0;
                balance_after := v_from.posted - v_found;
                debt_after := 0;
                exit;
            exception when unique_violation then
                get stacked diagnostics v_constraint = constraint_name;
                if v_attempt > 20 or v_constraint <> 'credit_transactions_once' then
                    raise;
                end if;
            end;
        end loop;
        return next;
    end loop;
end $$;

revoke execute on function credits_transfer_batch from public;
grant execute on function credits_transfer_batch to atlas_app;
