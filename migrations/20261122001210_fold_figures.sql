-- Folding what was counted, counting anew, and reading it.

-- Folds at most p_limit changes and p_limit transactions of the ledger; says how many there were. One at a time: another finds the
-- lock taken, and leaves it at that. Transactions below pg_snapshot_xmin have all ended, so none slips in behind the mark.
create function figures_fold(p_limit integer) returns bigint
language plpgsql security definer set search_path = public, pg_temp set jit = off as $$
declare
    v_below xid8;
    v_epoch integer := credits_epoch();
    v_mark figure_marks;
    v_upto record;
    v_touched record;
    v_changes bigint;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('figures', 0)) then
        return 0;
    end if;
    with taken as (
        delete from figure_changes where id in (select id from figure_changes order by id limit p_limit)
        returning quarter, kind, part, count, sum
    ), folded as (
        insert into figures as known (level, kind, starts, part, count, sum)
        select level, kind, date_bin(width, quarter, '2000-01-01 00:00+00'), part, sum(count), sum(sum)
        from taken cross join (values ('quarter', interval '15 minutes'), ('day', interval '24 hours')) l (level, width)
        group by 1, 2, 3, 4
        on conflict (level, kind, starts, part) do update set count = known.count + excluded.count, sum = known.sum + excluded.sum
    )
    select count(*) into v_changes from taken;

    v_below := pg_snapshot_xmin(pg_current_snapshot());
    select * into v_mark from figure_marks;
    select epoch, xid, id, nth into v_upto from (
        select epoch, xid, id, row_number() over () as nth from (
            select epoch, xid, id from credit_transactions
            where (epoch, xid, id) > (v_mark.epoch, v_mark.xid, v_mark.transaction_id) and (epoch < v_epoch or xid < v_below)
            order by epoch, xid, id limit p_limit
        ) due
    ) numbered order by nth desc limit 1;
    if v_upto.id is null then
        return v_changes;
    end if;

    with due as materialized (
        select t.id, t.kind, t.net, t.debt_change, t.created_at, t.payment_id, t.order_id,
            -- greatest passes over a null.
            case when p.paid_at is not null then greatest(0, (extract(epoch from t.created_at - p.paid_at) * 1000)::bigint) end as took_ms
        from credit_transactions t
        left join payments p on t.kind = 'grant' and p.provider = t.provider and p.payment_id = t.payment_id
        where (t.epoch, t.xid, t.id) > (v_mark.epoch, v_mark.xid, v_mark.transaction_id)
            and (t.epoch, t.xid, t.id) <= (v_upto.epoch, v_upto.xid, v_upto.id)
    ), counted as (
        select f.quarter, f.kind, f.part, f.count, f.sum
        from due cross join lateral ledger_figures(due.kind, due.net, due.debt_change, due.payment_id is not null, due.created_at) f
        union all
        select date_bin('15 minutes', created_at, '2000-01-01 00:00+00'), 'credited_in', time_step(took_ms)::text, 1, took_ms
        from due where took_ms is not null
    ), folded as (
        insert into figures as known (level, kind, starts, part, count, sum)
        select level, kind, date_bin(width, quarter, '2000-01-01 00:00+00'), part, sum(count), sum(sum)
        from counted cross join (values ('quarter', interval '15 minutes'), ('day', interval '24 hours')) l (level, width)
        group by 1, 2, 3, 4
        on conflict (level, kind, starts, part) do update set count = known.count + excluded.count, sum = known.sum + excluded.sum
    )
    insert into slow_credits (level, starts, transaction_id, order_id, took_ms, granted_at)
    select level, starts, id, order_id, took_ms, created_at from (
        select level, date_bin(width, created_at, '2000-01-01 00:00+00') as starts, id, order_id, took_ms, created_at,
            row_number() over (partition by level, date_bin(width, created_at, '2000-01-01 00:00+00') order by took_ms desc, id) as nth
        from due cross join (values ('quarter', interval '15 minutes'), ('day', interval '24 hours')) l (level, width)
        where took_ms is not null
    ) ranked where nth <= 10;
    select date_bin('24 hours', min(created_at), '2000-01-01 00:00+00') as first, max(created_at) as last into v_touched
    from credit_transactions
    where (epoch, xid, id) > (v_mark.epoch, v_mark.xid, v_mark.transaction_id) and (epoch, xid, id) <= (v_upto.epoch, v_upto.xid, v_upto.id);
    delete from slow_credits slow using (
        select level, starts, transaction_id, row_number() over (partition by level, starts order by took_ms desc, transaction_id) as nth
        from slow_credits where level in ('quarter', 'day') and starts between v_touched.first and v_touched.last
    ) ranked
    where ranked.nth > 10 and slow.level = ranked.level and slow.starts = ranked.starts and slow.transaction_id = ranked.transaction_id;

    update figure_marks set epoch = v_upto.epoch, xid = v_upto.xid, transaction_id = v_upto.id;
    return v_changes + v_upto.nth;
end $$;

-- Counts everything anew, while others write: one statement takes the rows and clears the queue under one snapshot, so a change is
-- either in the rows that it saw, or still in the queue. The ledger is folded again from its beginning.
create function figures_recount() returns void
language plpgsql security definer set search_path = public, pg_temp set jit = off as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('figures', 0));
    delete from figures;
    delete from slow_credits;
    update figure_marks set epoch = 0, xid = '0', transaction_id = '00000000-0000-0000-0000-000000000000';
    with cleared as (
        delete from figure_changes
    ), counted as (
        select f.* from credit_orders o cross join lateral order_figures(o.provider, o.state, o.created_at, o.opened_at) f
        union all
        select f.* from payments p
        cross join lateral payment_figures(p.provider, p.state, p.amount_minor, p.currency, p.created_at, p.paid_at) f
        union all
        select f.* from refunds r
        cross join lateral reversal_figures('refunded', r.state = 'succeeded', r.amount_minor, r.currency, r.created_at) f
        union all
        select f.* from disputes d
        cross join lateral reversal_figures('dispute_lost', d.state = 'lost', d.amount_minor, d.currency, d.created_at) f
    )
    insert into figures (level, kind, starts, part, count, sum)
    select level, kind, date_bin(width, quarter, '2000-01-01 00:00+00'), part, sum(count), sum(sum)
    from counted cross join (values ('quarter', interval '15 minutes'), ('day', interval '24 hours')) l (level, width)
    group by 1, 2, 3, 4;
end $$;

-- Cuts spans of time into whole days and the quarters at their ends.
create function figure_spans(p_from timestamptz[], p_to timestamptz[])
returns table (bin integer, level text, starts timestamptz, ends timestamptz)
language sql immutable as $$
    with bins as (
        select (nth - 1)::integer as bin, f, t, date_bin('24 hours', t, '2000-01-01 00:00+00') as last,
            date_bin('24 hours', f + interval '24 hours' - interval '1 microsecond', '2000-01-01 00:00+00') as first
        from unnest(p_from, p_to) with ordinality as b (f, t, nth)
    )
    select bin, 'day', first, last from bins where first < last
    union all select bin, 'quarter', f, first from bins where first < last and f < first
    union all select bin, 'quarter', last, t from bins where first < last and last < t
    union all select bin, 'quarter', f, t from bins where first >= last and f < t
$$;

-- The figures of some kinds in spans of time that begin and end with quarters: what was folded, and what waits.
create function figures_in(p_from timestamptz[], p_to timestamptz[], p_kinds text[])
returns table (bin integer, kind text, part text, count bigint, sum bigint)
language sql stable set search_path = public, pg_temp set jit = off set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off as $$
    with wanted as materialized (
        select s.bin, s.level, s.starts, s.ends, k.kind from figure_spans(p_from, p_to) s cross join unnest(p_kinds) k (kind)
    ), unfolded as materialized (
        select kind, net, debt_change, provider, payment_id, created_at from credit_transactions
        where (epoch, xid, id) > ((select epoch from figure_marks), (select xid from figure_marks), (select transaction_id from figure_marks))
    ), waiting as materialized (
        select quarter, kind, part, count, sum from figure_changes where kind = any (p_kinds)
        union all
        select f.quarter, f.kind, f.part, f.count, f.sum
        from unfolded t
        cross join lateral ledger_figures(t.kind, t.net, t.debt_change, t.payment_id is not null, t.created_at) f
        where f.kind = any (p_kinds)
        union all
        select date_bin('15 minutes', t.created_at, '2000-01-01 00:00+00'), 'credited_in', time_step(took.ms)::text, 1, took.ms
        from unfolded t
        join payments p on p.provider = t.provider and p.payment_id = t.payment_id
        cross join lateral (select greatest(0, (extract(epoch from t.created_at - p.paid_at) * 1000)::bigint) as ms) took
        where t.kind = 'grant' and p.paid_at is not null and 'credited_in' = any (p_kinds)
    )
    select bin, kind, part, sum(count)::bigint, sum(sum)::bigint from (
        select w.bin, w.kind, g.part, g.count, g.sum
        from wanted w
        -- `offset 0`: one range of the primary key for each kind and span, and not one for all kinds.
        cross join lateral (
            select part, count, sum from figures
            where level = w.level and kind = w.kind and starts >= w.starts and starts < w.ends offset 0
        ) g
        union all
        select (b.nth - 1)::integer, w.kind, w.part, w.count, w.sum
        from waiting w join unnest(p_from, p_to) with ordinality as b (f, t, nth) on w.quarter >= b.f and w.quarter < b.t
    ) found
    group by bin, kind, part having sum(count) <> 0 or sum(sum) <> 0
$$;

-- The ten that took longest from paid to credited in a span of time.
create function slowest_credits(p_from timestamptz, p_to timestamptz)
returns table (transaction_id uuid, order_id uuid, took_ms bigint, granted_at timestamptz)
language sql stable set search_path = public, pg_temp set jit = off set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off as $$
    with unfolded as materialized (
        select id, kind, order_id, provider, payment_id, created_at from credit_transactions
        where (epoch, xid, id) > ((select epoch from figure_marks), (select xid from figure_marks), (select transaction_id from figure_marks))
    )
    select transaction_id, order_id, took_ms, granted_at from (
        select slow.transaction_id, slow.order_id, slow.took_ms, slow.granted_at
        from figure_spans(array[p_from], array[p_to]) s
        cross join lateral (
            select c.transaction_id, c.order_id, c.took_ms, c.granted_at from slow_credits c
            where c.level = s.level and c.starts >= s.starts and c.starts < s.ends offset 0
        ) slow
        union all
        select t.id, t.order_id, greatest(0, (extract(epoch from t.created_at - p.paid_at) * 1000)::bigint), t.created_at
        from unfolded t
        join payments p on p.provider = t.provider and p.payment_id = t.payment_id
        where t.kind = 'grant' and p.paid_at is not null and t.created_at >= p_from and t.created_at < p_to
    ) found order by took_ms desc, transaction_id limit 10
$$;

revoke execute on function figures_fold, figures_recount, figure_spans, figures_in, slowest_credits from public;
grant execute on function figures_fold, figure_spans, figures_in, slowest_credits to atlas_app;

-- What was there before.
select figures_recount();
