-- Who did what, about whom, and why: a chain that only grows. Each entry is written in the transaction that it tells of, so
-- neither is ever there without the other, and carries the hash of the entry before.

create table audit_entries (
    number bigint primary key,
    at timestamptz not null,
    actor text not null,
    actor_id uuid references user_profiles (id),
    part text,
    session text,
    network text,
    request text,
    deed text not null,
    about text not null,
    about_id text not null,
    change jsonb not null,
    why text,
    previous bytea not null,
    hash bytea not null unique,
    constraint audit_entries_actor check (actor in ('person', 'operator', 'system', 'nobody')),
    constraint audit_entries_actor_id check ((actor = 'person') = (actor_id is not null)),
    constraint audit_entries_part check ((actor in ('operator', 'system')) = (part is not null)),
    constraint audit_entries_deed check (deed ~ '^[a-z_]{3,40}$'),
    constraint audit_entries_about check (about ~ '^[a-z_]{3,40}$' and length(about_id) between 1 and 300),
    constraint audit_entries_lengths check (length(session) = 8 and length(network) <= 50 and length(request) <= 64
        and length(part) <= 60 and length(why) <= 2000 and length(change::text) <= 10000),
    constraint audit_entries_why check (deed not in ('role_changed', 'payments_stopped', 'granted', 'refunded', 'plan_revised')
        or length(why) > 0),
    constraint audit_entries_hashes check (length(previous) = 32 and length(hash) = 32)
);
comment on table audit_entries is 'Append-only, also for its owner. The application may read it and call audit_record.';
comment on column audit_entries.number is 'Without gaps.';
comment on column audit_entries.part is 'The operator''s command, or the part of the program that acted by itself.';
comment on column audit_entries.session is 'The first 8 digits of the session''s hash: enough to tell sessions apart.';
comment on column audit_entries.network is 'Where the request came from: a /24, or a /48 of IPv6.';
comment on column audit_entries.about_id is 'An id of ours. Of an address that somebody typed only audit_pseudonym is kept.';
comment on column audit_entries.change is 'What changed, field by field, without secrets: {"role": {"from": "buyer", "to": "admin"}}.';
comment on column audit_entries.previous is 'The hash of the entry before; 32 zero bytes for the first.';

-- What somebody did, and what was done about somebody.
create index audit_entries_actor on audit_entries (actor_id, number) where actor_id is not null;
create index audit_entries_about on audit_entries (about, about_id, number);

create trigger audit_entries_append_only before update or delete on audit_entries
    for each row execute function refuse_change();
create trigger audit_entries_not_truncated before truncate on audit_entries
    for each statement execute function refuse_change();

-- The key of the pseudonyms. It never leaves the database, so an export of the entries does not let anybody try addresses.
create table audit_keys (
    only_one boolean primary key default true check (only_one),
    inner_key bytea not null check (length(inner_key) = 32),
    outer_key bytea not null check (length(outer_key) = 32)
);
insert into audit_keys (inner_key, outer_key) values (
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
);
comment on table audit_keys is 'Nothing is granted on it: audit_pseudonym alone reads it.';

-- A keyed hash, nested as HMAC is, with two keys instead of one padded twice.
create function audit_pseudonym(p_text text) returns text
language sql stable security definer set search_path = public, pg_temp as $$
    select encode(substr(sha256(outer_key || sha256(inner_key || convert_to(lower(btrim(p_text)), 'UTF8'))), 1, 12), 'hex')
    from audit_keys;
$$;

-- Rows are hashed in PostgreSQL's binary form: every value with its type and length, times in UTC.
create function audit_digest(p_entry audit_entries) returns bytea
language sql stable set search_path = public, pg_temp as $$
    select sha256(p_entry.previous || record_send(row(p_entry.number, p_entry.at, p_entry.actor, p_entry.actor_id, p_entry.part,
        p_entry.session, p_entry.network, p_entry.request, p_entry.deed, p_entry.about, p_entry.about_id, p_entry.change,
        p_entry.why)));
$$;

-- One entry, behind the last one. Whoever writes waits here until the writer before has ended, so it is to be the last
-- thing that a transaction does.
create function audit_record(p_actor text, p_actor_id uuid, p_part text, p_session text, p_network text, p_request text,
    p_deed text, p_about text, p_about_id text, p_change jsonb, p_why text) returns bigint
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_last audit_entries;
    v_new audit_entries;
begin
    if p_about = 'address' then
        p_about_id := audit_pseudonym(p_about_id);
    end if;
    perform pg_advisory_xact_lock(hashtextextended('audit_entries', 0));
    select * into v_last from audit_entries order by number desc limit 1;
    v_new := row(coalesce(v_last.number, 0) + 1, clock_timestamp(), p_actor, p_actor_id, p_part, p_session, p_network, p_request,
        p_deed, p_about, p_about_id, p_change, p_why, coalesce(v_last.hash, decode(repeat('00', 32), 'hex')), null);
    v_new.hash := audit_digest(v_new);
    insert into audit_entries select v_new.*;
    return v_new.number;
end $$;

-- The entries from p_from to p_to that do not hold: they hash to something else, or the one before is gone or another.
create function audit_broken(p_from bigint, p_to bigint) returns table (number bigint)
language sql stable security definer set search_path = public, pg_temp as $$
    select entry.number
    from audit_entries entry
    left join audit_entries before on before.number = entry.number - 1
    where entry.number between p_from and p_to
        and (audit_digest(entry) <> entry.hash
            or entry.previous <> coalesce(before.hash, decode(repeat('00', 32), 'hex'))
            or before.number is null and entry.number <> 1)
    order by entry.number;
$$;

revoke execute on function audit_pseudonym, audit_digest, audit_record, audit_broken from public;
grant execute on function audit_pseudonym, audit_record, audit_broken to atlas_app;
grant select on audit_entries to atlas_app;
