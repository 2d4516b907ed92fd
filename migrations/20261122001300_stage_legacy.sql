-- Moving in: what was read of the old system, row by row, until it is imported. Unlogged, for it can be read again, and emptied
-- at the end. Values stand here as far as they could be read; `faults` names what could not.

create table legacy_runs (
    id uuid primary key,
    source_hash bytea,
    started_at timestamptz not null,
    staged_at timestamptz,
    finished_at timestamptz,
    people_read bigint not null default 0,
    orders_read bigint not null default 0,
    transactions_read bigint not null default 0,
    people_upto bigint not null default 0,
    orders_upto bigint not null default 0,
    transactions_upto bigint not null default 0,
    constraint legacy_runs_hash check (length(source_hash) = 32)
);
comment on table legacy_runs is 'How far an import got. One that was killed goes on from here.';
comment on column legacy_runs.source_hash is 'SHA-256 of the files and of how they are to be read. Null: a connection, which is read anew each time.';
comment on column legacy_runs.staged_at is 'When all was read.';
comment on column legacy_runs.people_upto is 'The place up to which people are imported; so for the others.';

create unlogged table legacy_staged_people (
    place bigint primary key,
    id text not null,
    own_id uuid not null,
    email text,
    name text not null,
    credits bigint,
    is_staff boolean not null,
    created_at timestamptz,
    faults text[] not null,
    unreadable boolean not null,
    found text[] not null default '{}',
    left_out boolean not null default false,
    person_id uuid,
    treatment text,
    history bigint,
    opening bigint,
    constraint legacy_staged_people_treatment check (treatment in ('new', 'linked', 'merged', 'there'))
);
comment on column legacy_staged_people.own_id is 'The old id where it is a UUID, else one that follows from it: the same each time.';
comment on column legacy_staged_people.unreadable is 'It lacks what it can''t be imported without.';
comment on column legacy_staged_people.found is 'What only shows beside other rows.';
comment on column legacy_staged_people.history is 'What its transactions sum to.';
comment on column legacy_staged_people.opening is 'The credits that it begins with here.';

create unlogged table legacy_staged_orders (
    place bigint primary key,
    id text not null,
    own_id uuid not null,
    user_id text not null,
    plan text not null,
    credits bigint,
    price_minor bigint,
    currency text,
    state text not null,
    note text,
    answer text,
    created_at timestamptz,
    answered_at timestamptz,
    answered_by text,
    faults text[] not null,
    unreadable boolean not null,
    found text[] not null default '{}',
    left_out boolean not null default false,
    plan_version_id uuid,
    is_there boolean not null default false
);
comment on column legacy_staged_orders.user_id is 'Whose order it is: the id of the old profile.';

create unlogged table legacy_staged_transactions (
    place bigint primary key,
    id text not null,
    user_id text not null,
    amount bigint,
    kind text not null,
    description text not null,
    order_id text,
    balance_after bigint,
    at timestamptz,
    faults text[] not null,
    unreadable boolean not null,
    found text[] not null default '{}',
    left_out boolean not null default false
);

grant select, insert, delete on legacy_runs to atlas_app;
grant update (staged_at, finished_at, people_read, orders_read, transactions_read, people_upto, orders_upto, transactions_upto)
    on legacy_runs to atlas_app;
grant select, insert, truncate on legacy_staged_people, legacy_staged_orders, legacy_staged_transactions to atlas_app;
grant update (found, left_out, person_id, treatment, history, opening) on legacy_staged_people to atlas_app;
grant update (found, left_out, plan_version_id, is_there) on legacy_staged_orders to atlas_app;
grant update (found, left_out) on legacy_staged_transactions to atlas_app;
