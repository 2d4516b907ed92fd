-- Moving in: who came from the old system with how much, and what happened there. What moved credits there moved them before
-- the opening lot, so it is shown and never booked.

insert into credit_accounts (kind, code) values ('system', 'opening');

create table legacy_people (
    legacy_id text primary key,
    person_id uuid not null references user_profiles (id),
    balance bigint not null,
    imported_at timestamptz not null,
    constraint legacy_people_id check (length(legacy_id) between 1 and 120),
    constraint legacy_people_balance check (balance between 0 and 1000000000000)
);
comment on table legacy_people is 'Which profile of the old system became whom. Several may have become one, by the same address.';
comment on column legacy_people.balance is 'The opening lot of this profile; 0 has none. Granted under the scope legacy and this id as key.';
create index legacy_people_person on legacy_people (person_id);

create table legacy_transactions (
    legacy_id text primary key,
    person_id uuid not null references user_profiles (id),
    amount bigint not null,
    kind text not null,
    description text not null,
    balance_after bigint,
    at timestamptz,
    constraint legacy_transactions_id check (length(legacy_id) between 1 and 120),
    constraint legacy_transactions_text check (length(kind) <= 40 and length(description) <= 500)
);
comment on table legacy_transactions is 'The history of a balance before the move, as the old system told it.';
comment on column legacy_transactions.kind is 'The old system''s word, whatever it is.';
comment on column legacy_transactions.balance_after is 'As the old system had it; it may not add up.';
comment on column legacy_transactions.at is 'Null: it could not be read.';
-- One person's, newest first.
create index legacy_transactions_person on legacy_transactions (person_id, at desc nulls last, legacy_id desc);

-- What happened stays as it was told; only what people wrote goes when they leave.
create function legacy_keep() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and (new.legacy_id, new.person_id, new.amount, new.kind, new.balance_after, new.at)
        is not distinct from (old.legacy_id, old.person_id, old.amount, old.kind, old.balance_after, old.at)
        and new.description = '' then
        return new;
    end if;
    raise exception '% is append-only', tg_table_name using errcode = '42501';
end $$;
revoke execute on function legacy_keep from public;
create trigger legacy_transactions_append_only before update or delete on legacy_transactions
    for each row execute function legacy_keep();
create trigger legacy_transactions_not_truncated before truncate on legacy_transactions
    for each statement execute function refuse_change();
create trigger legacy_people_append_only before update or delete on legacy_people
    for each row execute function refuse_change();
create trigger legacy_people_not_truncated before truncate on legacy_people
    for each statement execute function refuse_change();

grant select, insert on legacy_people, legacy_transactions to atlas_app;
grant update (description) on legacy_transactions to atlas_app;
