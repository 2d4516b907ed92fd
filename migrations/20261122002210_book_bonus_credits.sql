-- The bonus of a payment is a grant of its own: its kind is bonus, its lot's source too. Under which key it stands is not the
-- caller's choice, so that the unique keys of credit_transactions give each payment, and each approved request, one bonus at most.

-- Each of these allows more than before, so the rows that are there need no look.
alter table credit_transactions drop constraint credit_transactions_kind;
alter table credit_transactions add constraint credit_transactions_kind check (kind in ('grant', 'spend', 'capture', 'expire',
    'clawback', 'reinstate', 'transfer', 'adjust', 'bonus')) not valid;
alter table credit_lots drop constraint credit_lots_source;
alter table credit_lots add constraint credit_lots_source check (source in ('purchase', 'manual', 'promo', 'subscription',
    'refund', 'transfer', 'bonus')) not valid;
alter table credit_transactions add constraint credit_transactions_bonus_once check (kind <> 'bonus' or (
    scope = coalesce(provider, 'order') || ':bonus' and key = coalesce(payment_id, order_id::text)) is true) not valid;

-- The grants of 1210, with the bonus among them.
create or replace function credits_grant_batch(
    p_transaction uuid[], p_scope text[], p_key text[], p_owner uuid[], p_credits bigint[], p_counter text[], p_source text[],
    p_priority smallint[], p_expires_at timestamptz[], p_order uuid[], p_provider text[], p_payment text[],
    p_paid_minor bigint[], p_currency text[], p_actor text[], p_description text[]
) returns table (place integer, outcome text, transaction_id uuid, net bigint, debt_change bigint, balance_after bigint,
    debt_after bigint)
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set enable_material = off set jit = off
as $$
#variable_conflict use_column
declare
    v_posted_most constant bigint := 1000000000000000;
    v_at timestamptz;
    v_debt_account bigint;
    v_attempt integer := 0;
    v_constraint text;
    v_item record;
    i integer;
    w integer;
    v_twin integer;
    v_repaid bigint;
    -- The wallets, as they become.
    w_id bigint[]; w_owner uuid[]; w_posted bigint[]; w_debt bigint[]; w_seq bigint[];
    -- The items, by place.
    r_outcome text[]; r_transaction uuid[]; r_net bigint[]; r_debt_change bigint[]; r_posted bigint[]; r_debt bigint[];
    r_wallet bigint[]; r_counter bigint[]; r_hash bytea[]; r_seq bigint[]; r_lot bigint[];
    -- Those that are done, to find repetitions within the batch.
    d_place integer[]; d_key text[]; d_payment text[]; d_order uuid[]; d integer;
begin
    select id into v_debt_account from credit_accounts where code = 'debt';
    loop
        v_attempt := v_attempt + 1;
        select array_agg(id), array_agg(owner_id), array_agg(posted), array_agg(debt), array_agg(seq)
        into w_id, w_owner, w_posted, w_debt, w_seq
        from (
            select id, owner_id, posted, debt, seq from credit_accounts
            where owner_id = any (p_owner) and kind = 'wallet' order by id for no key update
        ) locked;
        v_at := clock_timestamp();

        i := 0; d := 0;
        r_net := array_fill(null::bigint, array[cardinality(p_owner)]);
        r_debt_change := r_net; r_posted := r_net; r_debt := r_net; r_wallet := r_net; r_counter := r_net; r_seq := r_net;
        r_lot := r_net; r_transaction := array_fill(null::uuid, array[cardinality(p_owner)]); r_outcome := '{}'; r_hash := '{}';
        d_place := '{}'; d_key := '{}'; d_payment := '{}'; d_order := '{}';
        for v_item in
            select item.owner, item.credits, case when item.source <> 'bonus' then item.order_id end as order_id,
                case when item.source <> 'bonus' then item.provider || ' ' || item.payment end as payment,
                length(item.scope) || ' ' || item.scope || item.key as full_key, asked.hash, array_position(w_owner, item.owner) as wallet,
                counter.id as counter_id, earlier.id as earlier_id, earlier.net, earlier.debt_change,
                earlier.balance_after, earlier.debt_after,
                case
                    when (length(item.scope) between 1 and 100 and length(item.key) between 1 and 255
                        and item.credits between 1 and 1000000000000 and item.priority is not null
                        and item.source in ('purchase', 'manual', 'promo', 'subscription', 'refund', 'bonus')
                        and (item.source <> 'bonus' or item.scope = coalesce(item.provider, 'order') || ':bonus'
                            and item.key = coalesce(item.payment, item.order_id::text))
                        and item.transaction is not null and item.counter is not null
                        and coalesce(item.paid_minor, 0) >= 0 and (item.paid_minor is null) = (item.currency is null)
                        and (item.provider is null) = (item.payment is null)
                        and length(item.actor) between 1 and 200 and length(item.description) between 1 and 500
                        ) is not true then 'invalid'
                    when array_position(w_owner, item.owner) is null then 'no_wallet'
                    when earlier.id is not null then
                        case when earlier.request_hash = asked.hash then 'replayed' else 'key_reused' end
                    when counter.id is null then 'no_account'
                    when item.payment is not null and (
                        (select true from payments where payments.provider = item.provider
                            and payments.payment_id = item.payment) is null
                        or item.source <> 'bonus' and (select true from credit_transactions t where t.kind = 'grant'
                            and t.provider = item.provider and t.payment_id = item.payment)) then 'invalid'
                    when item.order_id is not null and (
                        (select true from credit_orders where credit_orders.id = item.order_id) is null
                        or item.payment is null and item.source <> 'bonus' and (select true from credit_transactions t
                            where t.kind = 'grant' and t.payment_id is null and t.order_id = item.order_id)) then 'invalid'
                end as refusal
            from unnest(p_transaction, p_scope, p_key, p_owner, p_credits, p_counter, p_source, p_priority, p_expires_at,
                p_order, p_provider, p_payment, p_paid_minor, p_currency, p_actor, p_description) with ordinality
                as item (transaction, scope, key, owner, credits, counter, source, priority, expires_at, order_id, provider,
                    payment, paid_minor, currency, actor, description, place)
            cross join lateral (select sha256(convert_to(jsonb_build_array('grant', item.owner, item.credits, item.counter,
                item.source, item.priority, extract(epoch from item.expires_at), item.order_id, item.provider, item.payment,
                item.paid_minor, item.currency)::text, 'UTF8')) as hash) asked
            left join credit_accounts counter on counter.code = item.counter
            left join credit_transactions earlier on earlier.scope = item.scope and earlier.key = item.key
            order by item.place
        loop
            i := i + 1;
            w := v_item.wallet;
            r_outcome[i] := v_item.refusal;
            r_hash[i] := v_item.hash;
            v_twin := null;
            if v_item.refusal is null then
                v_twin := d_place[array_position(d_key, v_item.full_key)];
                if v_twin is not null then
                    r_outcome[i] := case when r_hash[v_twin] = v_item.hash then 'replayed' else 'key_reused' end;
                elsif v_item.payment is not null and array_position(d_payment, v_item.payment) is not null
                    or v_item.payment is null and v_item.order_id is not null
                        and array_position(d_order, v_item.order_id) is not null
                    or w_posted[w] > v_posted_most - v_item.credits then
                    r_outcome[i] := 'invalid';
                else
                    r_outcome[i] := 'done';
                end if;
            end if;

            if r_outcome[i] = 'done' then
                v_repaid := least(w_debt[w], v_item.credits);
                w_posted[w] := w_posted[w] + v_item.credits - v_repaid;
                w_debt[w] := w_debt[w] - v_repaid;
                w_seq[w] := w_seq[w] + case when v_repaid > 0 then 3 else 1 end;
                r_transaction[i] := p_transaction[i];
                r_net[i] := v_item.credits - v_repaid;
                r_debt_change[i] := -v_repaid;
                r_posted[i] := w_posted[w];
                r_debt[i] := w_debt[w];
                r_wallet[i] := w_id[w];
                r_counter[i] := v_item.counter_id;
                r_seq[i] := w_seq[w];
                r_lot[i] := nextval('credit_lots_id_seq');
                d := d + 1;
                d_place[d] := i;
                d_key[d] := v_item.full_key;
                d_payment[d] := v_item.payment;
                d_order[d] := case when v_item.payment is null then v_item.order_id end;
            elsif r_outcome[i] = 'replayed' and v_twin is not null then
                r_transaction[i] := r_transaction[v_twin];
                r_net[i] := r_net[v_twin];
                r_debt_change[i] := r_debt_change[v_twin];
                r_posted[i] := r_posted[v_twin];
                r_debt[i] := r_debt[v_twin];
            elsif r_outcome[i] = 'replayed' then
                r_transaction[i] := v_item.earlier_id;
                r_net[i] := v_item.net;
                r_debt_change[i] := v_item.debt_change;
                r_posted[i] := v_item.balance_after;
                r_debt[i] := v_item.debt_after;
            end if;
        end loop;

        begin
            if d > 0 then
                -- By key, so that two batches that claim the same keys wait for each other in one direction.
                insert into credit_transactions (id, account_id, kind, scope, key, request_hash, net, debt_change, balance_after,
                    debt_after, last_seq, order_id, provider, payment_id, actor, description, created_at)
                select item.id, item.wallet, case when item.source = 'bonus' then 'bonus' else 'grant' end, item.scope, item.key,
                    item.hash, item.net, item.debt_change, item.posted, item.debt, item.seq, item.order_id, item.provider, item.payment, item.actor, item.description, v_at
                from unnest(r_outcome, r_transaction, r_wallet, p_scope, p_key, r_hash, r_net, r_debt_change, r_posted, r_debt,
                    r_seq, p_order, p_provider, p_payment, p_actor, p_description, p_source)
                    as item (outcome, id, wallet, scope, key, hash, net, debt_change, posted, debt, seq, order_id, provider,
                        payment, actor, description, source)
                where item.outcome = 'done' order by item.scope, item.key;

                insert into credit_lots (id, account_id, transaction_id, source, priority, granted, remaining, expires_at,
                    order_id, provider, payment_id, paid_minor, currency)
                overriding system value
                select item.lot, item.wallet, item.transaction, item.source, item.priority, item.credits, item.net,
                    item.expires_at, item.order_id, item.provider, item.payment, item.paid_minor, item.currency
                from unnest(r_outcome, r_lot, r_wallet, r_transaction, p_source, p_priority, p_credits, r_net, p_expires_at,
                    p_order, p_provider, p_payment, p_paid_minor, p_currency)
                    as item (outcome, lot, wallet, transaction, source, priority, credits, net, expires_at, order_id, provider,
                        payment, paid_minor, currency)
                where item.outcome = 'done';

                -- The lot; then, where something was owed, what the lot repaid of it and what is owed the less for it.
                insert into credit_entries (transaction_id, line, account_id, counter_id, lot_id, bucket, amount, account_seq,
                    balance_after)
                select item.transaction, 1, item.wallet, item.counter, item.lot, 'posted', item.net - item.debt_change,
                    item.seq - case when item.debt_change < 0 then 2 else 0 end, item.posted - item.debt_change
                from unnest(r_outcome, r_transaction, r_wallet, r_counter, r_lot, r_net, r_debt_change, r_posted, r_seq)
                    as item (outcome, transaction, wallet, counter, lot, net, debt_change, posted, seq)
                where item.outcome = 'done'
                union all
                select item.transaction, line.line, item.wallet, v_debt_account, case when line.line = 2 then item.lot end,
                    case when line.line = 2 then 'posted' else 'debt' end, item.debt_change, item.seq - 3 + line.line,
                    case when line.line = 2 then item.posted else item.debt end
                from unnest(r_outcome, r_transaction, r_wallet, r_lot, r_debt_change, r_posted, r_debt, r_seq)
                    as item (outcome, transaction, wallet, lot, debt_change, posted, debt, seq)
                cross join (values (2), (3)) as line (line)
                where item.outcome = 'done' and item.debt_change < 0;

                update credit_accounts account set posted = wallet.posted, debt = wallet.debt, seq = wallet.seq
                from unnest(w_id, w_posted, w_debt, w_seq) as wallet (id, posted, debt, seq)
                where account.id = wallet.id and account.seq <> wallet.seq;
            end if;
            return query select ordinality::integer, item.outcome, item.transaction, item.net, item.debt_change, item.posted,
                item.debt
            from unnest(r_outcome, r_transaction, r_net, r_debt_change, r_posted, r_debt) with ordinality
                as item (outcome, transaction, net, debt_change, posted, debt, ordinality);
            return;
        exception when unique_violation then
            -- Somebody with another wallet took one of the keys, or granted one of the payments, since we looked. They have
            -- committed, so that looking again tells.
            get stacked diagnostics v_constraint = constraint_name;
            if v_attempt > 20 or v_constraint not in ('credit_transactions_once', 'credit_transactions_payment_granted_once',
                'credit_transactions_order_approved_once') then
                raise;
            end if;
        end;
    end loop;
end $$;
