-- The figures of the overview, counted as things happen and summed by quarter of an hour: every local day of every zone begins
-- with one. Who changes an order, a payment, a refund or a dispute leaves what that changes in a queue of its own rows, so nobody
-- waits for a row that others count in; a job folds the queue. The ledger's rows never change and need no queue: they are folded
-- up to a mark in the order of the seals. What was counted and what still waits are read together, so the sum is exact at any time.

create table figures (
    level text not null,
    kind text not null,
    starts timestamptz not null,
    part text not null,
    count bigint not null,
    sum bigint not null,
    -- Read by itself: rows of one kind stand far apart in the table.
    primary key (level, kind, starts, part) include (count, sum),
    constraint figures_level check (level in ('quarter', 'day'))
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);
comment on table figures is 'Sums by quarter of an hour, and the same again by day (UTC), for long periods. The application may only read them.';
comment on column figures.kind is
    'order, opened, payment, revenue, refunded, dispute_lost; of the ledger sold, granted, used, expired, taken_back, moved, posted, debt, credited_in.';
comment on column figures.starts is 'When the quarter or the day begins.';
comment on column figures.part is
    'What it is divided by: provider/state of orders and payments, the currency of money, the shortest time (ms) of a step of credited_in.';
comment on column figures.sum is 'Minor units of money, credits as they moved, milliseconds.';

create table figure_changes (
    id bigint generated always as identity primary key,
    quarter timestamptz not null,
    kind text not null,
    part text not null,
    count bigint not null,
    sum bigint not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
comment on table figure_changes is 'What happened and is not folded yet. Each row was written by the transaction that it tells of.';
comment on column figure_changes.count is 'How many more, or fewer.';

create table figure_marks (
    only_one boolean primary key default true check (only_one),
    epoch integer not null default 0,
    xid xid8 not null default '0',
    transaction_id uuid not null default '00000000-0000-0000-0000-000000000000'
);
comment on table figure_marks is 'The last transaction of the ledger that was folded, in the order (epoch, xid, id).';
insert into figure_marks default values;

create table slow_credits (
    level text not null,
    starts timestamptz not null,
    transaction_id uuid not null,
    order_id uuid,
    took_ms bigint not null,
    granted_at timestamptz not null,
    primary key (level, starts, transaction_id),
    constraint slow_credits_level check (level in ('quarter', 'day'))
);
comment on table slow_credits is 'The ten payments of each quarter, and of each day, whose credits came last after they were paid.';

-- What one row counts for. Times that never change say when, so a row stays in its quarter as its state moves on.
create function order_figures(p_provider text, p_state text, p_created timestamptz, p_opened timestamptz)
returns table (quarter timestamptz, kind text, part text, count bigint, sum bigint)
language sql immutable as $$
    select date_bin('15 minutes', p_created, '2000-01-01 00:00+00'), f.kind, f.part, 1::bigint, 0::bigint
    from (values ('order', p_provider || '/' || p_state, true), ('opened', p_provider, p_opened is not null)) f (kind, part, counts)
    where f.counts
$$;

create function payment_figures(p_provider text, p_state text, p_minor bigint, p_currency text, p_created timestamptz, p_paid timestamptz)
returns table (quarter timestamptz, kind text, part text, count bigint, sum bigint)
language sql immutable as $$
    select date_bin('15 minutes', f.at, '2000-01-01 00:00+00'), f.kind, f.part, 1::bigint, f.sum
    from (values ('payment', p_provider || '/' || p_state, p_created, 0::bigint),
        ('revenue', p_currency, case when p_state = 'succeeded' then coalesce(p_paid, p_created) end, p_minor)) f (kind, part, at, sum)
    where f.at is not null and f.part is not null and f.sum is not null
$$;

create function reversal_figures(p_kind text, p_counts boolean, p_minor bigint, p_currency text, p_created timestamptz)
returns table (quarter timestamptz, kind text, part text, count bigint, sum bigint)
language sql immutable as $$
    select date_bin('15 minutes', p_created, '2000-01-01 00:00+00'), p_kind, coalesce(p_currency, ''), 1::bigint, coalesce(p_minor, 0)
    where p_counts
$$;

create function ledger_figures(p_kind text, p_net bigint, p_debt bigint, p_bought boolean, p_created timestamptz)
returns table (quarter timestamptz, kind text, part text, count bigint, sum bigint)
language sql immutable as $$
    select date_bin('15 minutes', p_created, '2000-01-01 00:00+00'), f.kind, '', f.count, f.sum
    from (values
        (case p_kind when 'grant' then case when p_bought then 'sold' else 'granted' end when 'spend' then 'used'
            when 'capture' then 'used' when 'expire' then 'expired' when 'clawback' then 'taken_back'
            when 'reinstate' then 'taken_back' else 'moved' end, 1::bigint, p_net - p_debt),
        ('posted', 0::bigint, p_net), ('debt', 0::bigint, p_debt)) f (kind, count, sum)
    where f.count <> 0 or f.sum <> 0
$$;

-- The step of a time: its first five binary digits, so a step is at most a sixteenth wide.
create function time_step(p_ms bigint) returns bigint
language sql immutable as $$
    select (p_ms >> digits) << digits
    from (select greatest(0, length(ltrim(p_ms::bit(64)::text, '0')) - 5) as digits) d
$$;

create function count_orders() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if tg_op = 'INSERT' then
        insert into figure_changes (quarter, kind, part, count, sum)
        select f.quarter, f.kind, f.part, sum(f.count), sum(f.sum)
        from after_rows r cross join lateral order_figures(r.provider, r.state, r.created_at, r.opened_at) f group by 1, 2, 3;
    else
        insert into figure_changes (quarter, kind, part, count, sum)
        select quarter, kind, part, sum(side * count), sum(side * sum) from (
            select 1 as side, f.* from after_rows r cross join lateral order_figures(r.provider, r.state, r.created_at, r.opened_at) f
            union all
            select -1, f.* from before_rows r cross join lateral order_figures(r.provider, r.state, r.created_at, r.opened_at) f
        ) moved group by quarter, kind, part having sum(side * count) <> 0 or sum(side * sum) <> 0;
    end if;
    return null;
end $$;

create function count_payments() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if tg_op = 'INSERT' then
        insert into figure_changes (quarter, kind, part, count, sum)
        select f.quarter, f.kind, f.part, sum(f.count), sum(f.sum) from after_rows r
        cross join lateral payment_figures(r.provider, r.state, r.amount_minor, r.currency, r.created_at, r.paid_at) f group by 1, 2, 3;
    else
        insert into figure_changes (quarter, kind, part, count, sum)
        select quarter, kind, part, sum(side * count), sum(side * sum) from (
            select 1 as side, f.* from after_rows r
            cross join lateral payment_figures(r.provider, r.state, r.amount_minor, r.currency, r.created_at, r.paid_at) f
            union all
            select -1, f.* from before_rows r
            cross join lateral payment_figures(r.provider, r.state, r.amount_minor, r.currency, r.created_at, r.paid_at) f
        ) moved group by quarter, kind, part having sum(side * count) <> 0 or sum(side * sum) <> 0;
    end if;
    return null;
end $$;

create function count_reversals() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_kind text := tg_argv[0];
    v_state text := tg_argv[1];
begin
    if tg_op = 'INSERT' then
        insert into figure_changes (quarter, kind, part, count, sum)
        select f.quarter, f.kind, f.part, sum(f.count), sum(f.sum) from after_rows r
        cross join lateral reversal_figures(v_kind, r.state = v_state, r.amount_minor, r.currency, r.created_at) f group by 1, 2, 3;
    else
        insert into figure_changes (quarter, kind, part, count, sum)
        select quarter, kind, part, sum(side * count), sum(side * sum) from (
            select 1 as side, f.* from after_rows r
            cross join lateral reversal_figures(v_kind, r.state = v_state, r.amount_minor, r.currency, r.created_at) f
            union all
            select -1, f.* from before_rows r
            cross join lateral reversal_figures(v_kind, r.state = v_state, r.amount_minor, r.currency, r.created_at) f
        ) moved group by quarter, kind, part having sum(side * count) <> 0 or sum(side * sum) <> 0;
    end if;
    return null;
end $$;

create trigger credit_orders_counted_new after insert on credit_orders
    referencing new table as after_rows for each statement execute function count_orders();
create trigger credit_orders_counted after update on credit_orders
    referencing old table as before_rows new table as after_rows for each statement execute function count_orders();
create trigger payments_counted_new after insert on payments
    referencing new table as after_rows for each statement execute function count_payments();
create trigger payments_counted after update on payments
    referencing old table as before_rows new table as after_rows for each statement execute function count_payments();
create trigger refunds_counted_new after insert on refunds
    referencing new table as after_rows for each statement execute function count_reversals('refunded', 'succeeded');
create trigger refunds_counted after update on refunds
    referencing old table as before_rows new table as after_rows for each statement execute function count_reversals('refunded', 'succeeded');
create trigger disputes_counted_new after insert on disputes
    referencing new table as after_rows for each statement execute function count_reversals('dispute_lost', 'lost');
create trigger disputes_counted after update on disputes
    referencing old table as before_rows new table as after_rows for each statement execute function count_reversals('dispute_lost', 'lost');

revoke execute on function order_figures, payment_figures, reversal_figures, ledger_figures, time_step, count_orders, count_payments,
    count_reversals from public;
grant execute on function ledger_figures, time_step to atlas_app;
grant select on figures, figure_changes, figure_marks, slow_credits to atlas_app;
