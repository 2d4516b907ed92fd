-- Bonus credits count as given, not as sold: nobody paid for them.

create or replace function ledger_figures(p_kind text, p_net bigint, p_debt bigint, p_bought boolean, p_created timestamptz)
returns table (quarter timestamptz, kind text, part text, count bigint, sum bigint)
language sql immutable as $$
    select date_bin('15 minutes', p_created, '2000-01-01 00:00+00'), f.kind, '', f.count, f.sum
    from (values
        (case p_kind when 'grant' then case when p_bought then 'sold' else 'granted' end when 'bonus' then 'granted'
            when 'spend' then 'used' when 'capture' then 'used' when 'expire' then 'expired' when 'clawback' then 'taken_back'
            when 'reinstate' then 'taken_back' else 'moved' end, 1::bigint, p_net - p_debt),
        ('posted', 0::bigint, p_net), ('debt', 0::bigint, p_debt)) f (kind, count, sum)
    where f.count <> 0 or f.sum <> 0
$$;
