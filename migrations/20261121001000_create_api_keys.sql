-- Keys with which applications spend credits on behalf of people. A key is shown once, when it is made; here is only its
-- hash, and revoking one is a column, so that what it did stays explained.

create table api_keys (
    id uuid primary key,
    name text not null,
    hash bytea not null unique,
    prefix text not null,
    scopes text[] not null,
    counter text not null references credit_accounts (code),
    created_at timestamptz not null,
    revoked_at timestamptz,
    last_used_at timestamptz,
    constraint api_keys_name check (length(name) between 1 and 100),
    constraint api_keys_hash check (octet_length(hash) = 32),
    constraint api_keys_prefix check (length(prefix) between 1 and 20),
    constraint api_keys_scopes check (cardinality(scopes) > 0 and scopes <@ array['spend'])
);
comment on table api_keys is 'Keys of applications. Their idempotency keys have the scope api:<id> in the ledger.';
comment on column api_keys.name is 'Which application holds it; the statement shows it where a spend has no description.';
comment on column api_keys.hash is 'SHA-256 of the whole key. It has 256 random bits, so a slow hash would protect no better.';
comment on column api_keys.prefix is 'How the key begins, to tell it from others.';
comment on column api_keys.counter is 'The system account against which its spends are booked: consumed:<app>.';
comment on column api_keys.revoked_at is 'From then on it is as if there were no such key.';
comment on column api_keys.last_used_at is 'To the minute: written at most that often.';

-- The system account of an application, made when it gets its first key.
create function credits_open_application(p_app text) returns text
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if p_app !~ '^[a-z][a-z0-9-]{0,39}$' then
        raise exception 'not the name of an application' using errcode = '22023';
    end if;
    insert into credit_accounts (kind, code) values ('system', 'consumed:' || p_app) on conflict (code) do nothing;
    return 'consumed:' || p_app;
end $$;

revoke execute on function credits_open_application from public;
grant execute on function credits_open_application to atlas_app;
grant select, insert on api_keys to atlas_app;
grant update (revoked_at, last_used_at) on api_keys to atlas_app;
