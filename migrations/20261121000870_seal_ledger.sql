-- Seals: a chain of SHA-256 over everything booked, made behind the writers. Whoever edits, removes or slips in a row below a
-- seal breaks it, the owner of the database too, as long as one hash is kept elsewhere (each is logged).
--
-- Rows are sealed in the order (epoch, xid, id). A row's xid says which database transaction wrote it; below
-- pg_snapshot_xmin all have ended, so nothing can still appear there, and no writer is waited for or made to wait.

-- What was booked before: epoch 0, xid 0, without rewriting the table (a constant default is only noted in the catalogue).
-- From here on each row says its own.
alter table credit_transactions add column epoch integer not null default 0;
alter table credit_transactions add column xid xid8 not null default '0';
alter table credit_transactions alter column epoch set default 1;
alter table credit_transactions alter column xid set default pg_current_xact_id();
comment on column credit_transactions.epoch is 'Counts up when a dump was restored, for transaction numbers start anew then.';
comment on column credit_transactions.xid is 'The database transaction that wrote it.';
create index credit_transactions_sealing on credit_transactions (epoch, xid, id);

create table ledger_seals (
    number bigint primary key,
    epoch integer not null,
    xid xid8 not null,
    transaction_id uuid not null references credit_transactions (id),
    transactions bigint not null,
    entries bigint not null,
    previous bytea not null,
    hash bytea not null unique,
    sealed_at timestamptz not null default clock_timestamp(),
    constraint ledger_seals_counts check (transactions > 0 and entries >= 0),
    constraint ledger_seals_hashes check (length(previous) = 32 and length(hash) = 32)
);
comment on table ledger_seals is 'Each seals the transactions after the seal before, up to its own last one.';
comment on column ledger_seals.transaction_id is 'The last transaction sealed, in the order (epoch, xid, id).';
comment on column ledger_seals.previous is 'The hash of the seal before; 32 zero bytes for the first.';

create trigger ledger_seals_append_only before update or delete on ledger_seals
    for each row execute function refuse_change();
create trigger ledger_seals_not_truncated before truncate on ledger_seals
    for each statement execute function refuse_change();
grant select on ledger_seals to atlas_app;

-- The hash over the p_transactions that come after one place. Rows are hashed in PostgreSQL's binary form: every value with
-- its type and length, times in UTC.
create function credits_digest(p_previous bytea, p_epoch integer, p_xid xid8, p_id uuid, p_transactions bigint)
returns table (hash bytea, entries bigint, last_id uuid)
language sql stable set search_path = public, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
    select sha256(p_previous || sha256(said.bytes) || sha256(moved.bytes)), moved.rows, said.ids[cardinality(said.ids)]
    from (
        select coalesce(string_agg(record_send(row(id, account_id, kind, scope, key, request_hash, net, debt_change,
            balance_after, debt_after, last_seq, order_id, provider, payment_id, actor, description, created_at, epoch, xid)), ''),
            '') as bytes, array_agg(id) as ids
        from (
            select id, account_id, kind, scope, key, request_hash, net, debt_change, balance_after, debt_after, last_seq,
                order_id, provider, payment_id, actor, description, created_at, epoch, xid
            from credit_transactions where (epoch, xid, id) > (p_epoch, p_xid, p_id)
            order by epoch, xid, id limit p_transactions
        ) sealed
    ) said, (
        select coalesce(string_agg(bytes, ''), '') as bytes, count(*) as rows from (
            select record_send(row(entry.id, entry.transaction_id, entry.line, entry.account_id, entry.counter_id, entry.lot_id,
                entry.bucket, entry.amount, entry.account_seq, entry.balance_after, entry.created_at)) as bytes
            from (
                select epoch, xid, id from credit_transactions where (epoch, xid, id) > (p_epoch, p_xid, p_id)
                order by epoch, xid, id limit p_transactions
            ) sealed
            join credit_entries entry on entry.transaction_id = sealed.id
            order by sealed.epoch, sealed.xid, sealed.id, entry.line
        ) ordered
    ) moved;
$$;

-- The epoch in which rows are written now.
create function credits_epoch() returns integer
language sql stable set search_path = public, pg_temp as $$
    select pg_get_expr(adbin, adrelid)::integer from pg_attrdef
    where adrelid = 'credit_transactions'::regclass
        and adnum = (select attnum from pg_attribute where attrelid = adrelid and attname = 'epoch');
$$;

-- Seals up to p_limit transactions. One sealer at a time: another finds the lock taken, and leaves it at that.
create function credits_seal(p_limit integer)
returns table (number bigint, transactions bigint, entries bigint, hash bytea)
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set jit = off
as $$
#variable_conflict use_column
declare
    v_below xid8;
    v_epoch integer := credits_epoch();
    v_last ledger_seals;
    v_upto record;
    v_digest record;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('ledger_seals', 0)) then
        return;
    end if;
    v_below := pg_snapshot_xmin(pg_current_snapshot());
    select * into v_last from ledger_seals order by number desc limit 1;
    if v_last.number is null then
        v_last := row(0, 0, '0', '00000000-0000-0000-0000-000000000000', 0, 0, decode(repeat('00', 32), 'hex'),
            decode(repeat('00', 32), 'hex'), null)::ledger_seals;
    elsif v_last.epoch = v_epoch and v_last.xid >= pg_snapshot_xmax(pg_current_snapshot()) then
        raise exception 'transaction numbers are behind the last seal: after restoring a dump, call credits_begin_epoch()'
            using errcode = 'AC008';
    end if;

    select epoch, xid, id, nth into v_upto from (
        select epoch, xid, id, row_number() over () as nth from (
            select epoch, xid, id from credit_transactions
            where (epoch, xid, id) > (v_last.epoch, v_last.xid, v_last.transaction_id)
                and (epoch < v_epoch or xid < v_below)
            order by epoch, xid, id limit p_limit
        ) due
    ) numbered order by nth desc limit 1;
    if v_upto.id is null then
        return;
    end if;
    select * into v_digest from credits_digest(v_last.hash, v_last.epoch, v_last.xid, v_last.transaction_id, v_upto.nth);
    insert into ledger_seals (number, epoch, xid, transaction_id, transactions, entries, previous, hash)
    values (v_last.number + 1, v_upto.epoch, v_upto.xid, v_upto.id, v_upto.nth, v_digest.entries, v_last.hash, v_digest.hash);
    return query select v_last.number + 1, v_upto.nth, v_digest.entries, v_digest.hash;
end $$;

-- For the owner, right after restoring a dump and before anybody writes: rows from here on are sealed behind all others,
-- whatever numbers their transactions have. The chain goes on from the last hash.
create function credits_begin_epoch() returns integer
language plpgsql set search_path = public, pg_temp as $$
declare
    v_epoch integer := credits_epoch() + 1;
begin
    execute format('alter table credit_transactions alter column epoch set default %s', v_epoch);
    return v_epoch;
end $$;

-- The seals from p_from to p_to that do not hold: the rows hash to something else, or the chain is cut.
create function credits_broken_seals(p_from bigint, p_to bigint) returns table (number bigint)
language sql stable security definer set search_path = public, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
    select seal.number
    from ledger_seals seal
    left join ledger_seals before on before.number = seal.number - 1
    cross join lateral credits_digest(seal.previous, coalesce(before.epoch, 0), coalesce(before.xid, '0'),
        coalesce(before.transaction_id, '00000000-0000-0000-0000-000000000000'), seal.transactions) as digest
    where seal.number between p_from and p_to
        and ((digest.hash, digest.entries, digest.last_id) is distinct from (seal.hash, seal.entries, seal.transaction_id)
            or seal.previous <> coalesce(before.hash, decode(repeat('00', 32), 'hex'))
            or before.number is null and seal.number <> 1
            -- The next seal goes on where this one says that it ended.
            or not exists (select from credit_transactions t where t.id = seal.transaction_id and t.epoch = seal.epoch
                and t.xid = seal.xid))
    order by seal.number;
$$;

revoke execute on function credits_digest, credits_seal, credits_epoch, credits_begin_epoch, credits_broken_seals from public;
grant execute on function credits_seal, credits_broken_seals to atlas_app;
