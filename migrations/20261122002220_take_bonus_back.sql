-- Taking back from a bonus as from the credits that were bought: an item that says so is about the bonus of its payment, with levels
-- of its own. Both stand under the same payment; what belongs to the bonus is told by its scopes and by the source of its lots.

-- A payment in dispute has its credits held, and its bonus: one of each at most.
create unique index credit_holds_frozen on credit_holds (provider, payment_id, scope) where state = 'open' and payment_id is not null;
drop index credit_holds_freeze;

-- As before (0830), but for a bonus: first its own lots, then what is left of what was bought with it, then the others.
drop function credits_allocate(bigint, bigint, timestamptz, text, text);
create function credits_allocate(
    p_account bigint, p_wanted bigint, p_at timestamptz, p_provider text, p_payment text, p_bonus boolean default false
) returns table (lot_id bigint, taken bigint, place bigint)
language sql stable set search_path = public, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
    select id, least(free, p_wanted - before), place
    from (
        select id, free, coalesce(sum(free) over (burn rows between unbounded preceding and 1 preceding), 0)::bigint as before,
            row_number() over burn as place
        from (
            select id, remaining - held as free, priority, expires_at,
                case when provider = p_provider and payment_id = p_payment
                    then case when (source = 'bonus') = p_bonus then 2 else 1 end else 0 end as own
            from credit_lots where account_id = p_account and is_open and remaining > held
        ) lot
        where own = 2 or expires_at is null or expires_at > p_at
        window burn as (order by own desc, priority, expires_at, id)
    ) open
    where before < p_wanted;
$$;
revoke execute on function credits_allocate from public;

-- Dropped and made anew, for it takes one more list; who calls it without, as the program before does, means what was bought.
-- What expired of a bonus is gone already: it is not taken again from other credits, nor owed.
drop function credits_take_back_batch;
create function credits_take_back_batch(
    p_transaction uuid[], p_provider text[], p_payment text[], p_taken bigint[], p_frozen bigint[], p_actor text[],
    p_description text[], p_bonus boolean[] default null
) returns table (place integer, outcome text, transaction_id uuid, net bigint, debt_change bigint, balance_after bigint,
    debt_after bigint)
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set enable_material = off set jit = off
as $$
#variable_conflict use_column
declare
    v_most constant bigint := 1000000000000000;
    v_at timestamptz;
    v_counter bigint;
    v_granted record;
    v_taken bigint;
    v_delta bigint;
    v_freeze record;
    v_frozen bigint;
    v_own bigint;
    v_bonus boolean;
    v_expired bigint;
    v_before credit_accounts;
    v_after credit_accounts;
    -- What moves: lots (positive: back into them), a new lot, and the debt.
    v_lots bigint[];
    v_amounts bigint[];
    v_posted bigint;
    v_debt bigint;
    v_new_lot bigint;
    v_lines integer;
begin
    select id into v_counter from credit_accounts where code = 'clawed';
    perform from credit_accounts
    where id = any (array(
        select (select granted.account_id from credit_transactions granted
            where granted.kind = 'grant' and granted.provider = item.provider and granted.payment_id = item.payment)
        from unnest(p_provider, p_payment) as item (provider, payment)))
    order by id for no key update;
    v_at := clock_timestamp();

    for i in 1..coalesce(cardinality(p_transaction), 0) loop
        place := i; transaction_id := null; net := 0; debt_change := 0; balance_after := null; debt_after := null;
        v_bonus := coalesce(p_bonus[i], false);
        if v_bonus then
            -- In the wallet that is locked: the one of what was bought.
            select account_id, net - debt_change as credits, order_id into v_granted from credit_transactions
            where kind = 'bonus' and scope = p_provider[i] || ':bonus' and key = p_payment[i]
                and account_id = (select granted.account_id from credit_transactions granted
                    where granted.kind = 'grant' and granted.provider = p_provider[i] and granted.payment_id = p_payment[i]);
        else
            select account_id, net - debt_change as credits, order_id into v_granted from credit_transactions
            where kind = 'grant' and provider = p_provider[i] and payment_id = p_payment[i];
        end if;
        if v_granted.account_id is null then
            outcome := case when p_taken[i] = 0 and p_frozen[i] = 0 then 'replayed' else 'invalid' end;
            return next;
            continue;
        end if;
        select * into v_before from credit_accounts where id = v_granted.account_id;
        balance_after := v_before.posted;
        debt_after := v_before.debt;
        if (p_taken[i] between 0 and v_granted.credits and p_frozen[i] between 0 and v_granted.credits - p_taken[i]
            and v_before.posted <= v_most - v_granted.credits and v_before.debt <= v_most - v_granted.credits
            and p_transaction[i] is not null and length(p_actor[i]) between 1 and 200
            and length(p_description[i]) between 1 and 500) is not true then
            outcome := 'invalid';
            return next;
            continue;
        end if;

        select coalesce(sum(debt_change - net), 0) into v_taken from credit_transactions
        where kind in ('clawback', 'reinstate') and provider = p_provider[i] and payment_id = p_payment[i]
            and (scope = p_provider[i] || ':bonus-take-back') = v_bonus;
        v_delta := p_taken[i] - v_taken;
        if v_bonus and v_delta > 0 then
            select -coalesce(sum(entry.amount), 0) into v_expired
            from credit_lots lot
            join credit_entries entry on entry.lot_id = lot.id
            join credit_transactions t on t.id = entry.transaction_id and t.kind = 'expire'
            where lot.provider = p_provider[i] and lot.payment_id = p_payment[i] and lot.source = 'bonus';
            v_delta := least(v_delta, greatest(0, v_granted.credits - v_expired - v_taken));
        end if;
        select id, amount into v_freeze from credit_holds
        where provider = p_provider[i] and payment_id = p_payment[i] and state = 'open'
            and (scope = p_provider[i] || ':bonus-freeze') = v_bonus;
        v_frozen := coalesce(v_freeze.amount, 0);
        select coalesce(sum(remaining - held), 0) into v_own from credit_lots
        where provider = p_provider[i] and payment_id = p_payment[i] and (source = 'bonus') = v_bonus
            and (expires_at is null or expires_at > v_at);
        if v_delta = 0 and v_frozen = least(p_frozen[i], v_own + v_frozen) then
            outcome := 'replayed';
            return next;
            continue;
        end if;
        outcome := 'done';

        if v_frozen > 0 then
            update credit_lots lot set held = lot.held - piece.amount
            from credit_hold_lots piece where piece.hold_id = v_freeze.id and lot.id = piece.lot_id;
            update credit_holds set state = 'released' where id = v_freeze.id;
            update credit_accounts set held = held - v_frozen where id = v_granted.account_id;
        end if;

        if v_delta <> 0 then
            transaction_id := p_transaction[i];
            v_new_lot := null;
            if v_delta > 0 then
                select array_agg(lot_id order by place), array_agg(-taken order by place), -coalesce(sum(taken), 0)
                into v_lots, v_amounts, v_posted
                from credits_allocate(v_granted.account_id, v_delta, v_at, p_provider[i], p_payment[i], v_bonus);
                v_debt := v_delta + v_posted;
            else
                v_debt := -least(v_before.debt, -v_delta);
                -- Which lots this payment's clawbacks took from and have not got back, the last first.
                select array_agg(id order by place), array_agg(least(missing, v_debt - v_delta - before) order by place),
                    coalesce(sum(least(missing, v_debt - v_delta - before)), 0)
                into v_lots, v_amounts, v_posted
                from (
                    select id, missing, row_number() over undo as place,
                        coalesce(sum(missing) over (undo rows between unbounded preceding and 1 preceding), 0)::bigint as before
                    from (
                        select lot.id, lot.priority, lot.expires_at, -sum(entry.amount) as missing,
                            case when lot.provider = p_provider[i] and lot.payment_id = p_payment[i]
                                then case when (lot.source = 'bonus') = v_bonus then 2 else 1 end else 0 end as own
                        from credit_transactions earlier
                        join credit_entries entry on entry.transaction_id = earlier.id
                        join credit_lots lot on lot.id = entry.lot_id and lot.transaction_id <> earlier.id
                        where earlier.kind in ('clawback', 'reinstate') and earlier.provider = p_provider[i]
                            and earlier.payment_id = p_payment[i]
                            and (earlier.scope = p_provider[i] || ':bonus-take-back') = v_bonus
                            and (lot.expires_at is null or lot.expires_at > v_at)
                        group by lot.id
                    ) taken_from
                    where missing > 0
                    window undo as (order by own, priority desc, expires_at desc nulls first, id desc)
                ) open
                where before < v_debt - v_delta;
                if v_posted < v_debt - v_delta then
                    v_new_lot := nextval('credit_lots_id_seq');
                    v_lots := v_new_lot || v_lots;
                    v_amounts := v_debt - v_delta - v_posted || v_amounts;
                    v_posted := v_debt - v_delta;
                end if;
            end if;
            v_lines := coalesce(cardinality(v_lots), 0) + case when v_debt <> 0 then 1 else 0 end;

            insert into credit_transactions (id, account_id, kind, scope, key, request_hash, net, debt_change, balance_after,
                debt_after, last_seq, order_id, provider, payment_id, actor, description, created_at)
            values (p_transaction[i], v_granted.account_id, case when v_delta > 0 then 'clawback' else 'reinstate' end,
                p_provider[i] || case when v_bonus then ':bonus-take-back' else ':take-back' end, p_transaction[i]::text,
                sha256(convert_to(jsonb_build_array('take_back', p_provider[i], p_payment[i], p_taken[i], p_frozen[i])::text,
                    'UTF8')),
                v_posted, v_debt, v_before.posted + v_posted, v_before.debt + v_debt, v_before.seq + v_lines, v_granted.order_id,
                p_provider[i], p_payment[i], p_actor[i], p_description[i], v_at);
            if v_new_lot is not null then
                insert into credit_lots (id, account_id, transaction_id, source, priority, granted, remaining, order_id, provider,
                    payment_id)
                overriding system value
                values (v_new_lot, v_granted.account_id, p_transaction[i], case when v_bonus then 'bonus' else 'refund' end,
                    case when v_bonus then 10 else 100 end, v_amounts[1], v_amounts[1], v_granted.order_id, p_provider[i],
                    p_payment[i]);
            end if;
            update credit_lots lot set remaining = lot.remaining + moved.amount
            from unnest(v_lots, v_amounts) as moved (id, amount) where lot.id = moved.id and lot.id is distinct from v_new_lot;
            insert into credit_entries (transaction_id, line, account_id, counter_id, lot_id, bucket, amount, account_seq,
                balance_after)
            select p_transaction[i], lot.line, v_granted.account_id, v_counter, lot.id, 'posted', lot.amount,
                v_before.seq + lot.line, v_before.posted + sum(lot.amount) over (order by lot.line)
            from unnest(v_lots, v_amounts) with ordinality as lot (id, amount, line)
            union all
            select p_transaction[i], v_lines, v_granted.account_id, v_counter, null, 'debt', v_debt, v_before.seq + v_lines,
                v_before.debt + v_debt
            where v_debt <> 0;
            update credit_accounts set posted = posted + v_posted, debt = debt + v_debt, seq = seq + v_lines
            where id = v_granted.account_id;
        end if;

        if p_frozen[i] > 0 then
            select array_agg(id), array_agg(least(free, p_frozen[i] - before)), coalesce(sum(least(free, p_frozen[i] - before)), 0)
            into v_lots, v_amounts, v_frozen
            from (
                select id, remaining - held as free, coalesce(sum(remaining - held) over (
                    order by priority, expires_at, id rows between unbounded preceding and 1 preceding), 0)::bigint as before
                from credit_lots
                where provider = p_provider[i] and payment_id = p_payment[i] and (source = 'bonus') = v_bonus
                    and remaining > held and (expires_at is null or expires_at > v_at)
            ) own
            where before < p_frozen[i];
            if v_frozen > 0 then
                insert into credit_holds (id, account_id, scope, key, request_hash, amount, provider, payment_id)
                values (p_transaction[i], v_granted.account_id, p_provider[i] || case when v_bonus then ':bonus-freeze' else ':freeze' end,
                    p_transaction[i]::text,
                    sha256(convert_to(jsonb_build_array('freeze', p_provider[i], p_payment[i], p_taken[i], p_frozen[i])::text,
                        'UTF8')),
                    v_frozen, p_provider[i], p_payment[i]);
                insert into credit_hold_lots (hold_id, account_id, lot_id, amount)
                select p_transaction[i], v_granted.account_id, own.id, own.amount
                from unnest(v_lots, v_amounts) as own (id, amount);
                update credit_lots lot set held = lot.held + own.amount
                from unnest(v_lots, v_amounts) as own (id, amount) where lot.id = own.id;
                update credit_accounts set held = held + v_frozen where id = v_granted.account_id;
            end if;
        end if;

        perform credits_repay(v_granted.account_id, v_at);
        select * into v_after from credit_accounts where id = v_granted.account_id;
        net := v_after.posted - v_before.posted;
        debt_change := v_after.debt - v_before.debt;
        balance_after := v_after.posted;
        debt_after := v_after.debt;
        return next;
    end loop;
end $$;

revoke execute on function credits_take_back_batch from public;
grant execute on function credits_take_back_batch to atlas_app;
