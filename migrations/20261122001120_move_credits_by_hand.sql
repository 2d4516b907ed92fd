-- What admins do to somebody's credits by hand: given, taken, a debt forgiven, a large request approved. Each with its reason;
-- above the limit it waits here for another admin.

create table credit_deeds (
    id uuid primary key,
    key text not null,
    kind text not null,
    person_id uuid not null references user_profiles (id),
    order_id uuid references credit_orders (id),
    credits bigint not null,
    description text not null,
    reason text not null,
    asked_by uuid not null references user_profiles (id),
    takes_two boolean not null,
    state text not null,
    decided_by uuid references user_profiles (id),
    decided_at timestamptz,
    refusal text,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    constraint credit_deeds_once unique (key),
    constraint credit_deeds_key check (length(key) between 8 and 128),
    constraint credit_deeds_kind check (kind in ('grant', 'take', 'forgive', 'approve')),
    constraint credit_deeds_order check ((kind = 'approve') = (order_id is not null)),
    constraint credit_deeds_credits check (credits between 1 and 1000000000000),
    constraint credit_deeds_description check (length(description) between 1 and 200),
    constraint credit_deeds_reason check (length(reason) between 1 and 500),
    constraint credit_deeds_state check (state in ('waiting', 'done', 'declined', 'withdrawn')),
    constraint credit_deeds_second_admin check (decided_by <> asked_by),
    constraint credit_deeds_confirmed check (not takes_two or decided_by is not null or state in ('waiting', 'withdrawn')),
    constraint credit_deeds_decided check ((decided_by is null) = (decided_at is null)),
    constraint credit_deeds_refusal check ((state = 'declined') = (refusal is not null) and length(refusal) between 1 and 1000)
);
comment on column credit_deeds.id is 'Also the key of the movement in the ledger, but for approvals: theirs is the order.';
comment on column credit_deeds.key is 'Of the form that asked: sent twice it is one deed.';
comment on column credit_deeds.description is 'What the owner of the wallet reads in the statement.';
comment on column credit_deeds.reason is 'Why, for those who look after Atlas.';
comment on column credit_deeds.takes_two is 'Above the limit: another admin than the one who asked has to confirm.';
comment on column credit_deeds.state is
    'waiting: for the second admin; done: the ledger has it; declined: by the second admin; withdrawn: by whoever asked.';

-- What waits, and that a request is not put up twice; what one person was given lately.
create index credit_deeds_waiting on credit_deeds (created_at) where state = 'waiting';
create unique index credit_deeds_approve_once on credit_deeds (order_id) where kind = 'approve' and state = 'waiting';
create index credit_deeds_person on credit_deeds (person_id, created_at);

grant select, insert on credit_deeds to atlas_app;
grant update (state, decided_by, decided_at, refusal, changed_at) on credit_deeds to atlas_app;
