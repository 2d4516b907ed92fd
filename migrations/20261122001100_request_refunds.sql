-- Refunds that somebody here asked for. A request is written down before the provider hears of it, under the key that every
-- try carries; what the provider then does stands in `refunds`, which say whose request they answer.

create table refund_requests (
    id uuid primary key,
    key text not null,
    provider text not null,
    payment_id text not null,
    order_id uuid not null references credit_orders (id),
    amount_minor bigint not null,
    currency text not null,
    reason text not null,
    asked_by uuid not null references user_profiles (id),
    takes_two boolean not null,
    state text not null,
    decided_by uuid references user_profiles (id),
    decided_at timestamptz,
    refusal text,
    tries integer not null default 0,
    first_tried_at timestamptz,
    next_try_at timestamptz,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    constraint refund_requests_once unique (key),
    constraint refund_requests_key check (length(key) between 8 and 128),
    constraint refund_requests_amount check (amount_minor > 0),
    constraint refund_requests_currency check (currency ~ '^[a-z]{3}$'),
    constraint refund_requests_reason check (length(reason) between 1 and 500),
    constraint refund_requests_state check (state in ('waiting', 'wanted', 'sent', 'refused', 'declined', 'withdrawn')),
    constraint refund_requests_second_admin check (decided_by <> asked_by),
    constraint refund_requests_confirmed check (not takes_two or decided_by is not null or state in ('waiting', 'withdrawn')),
    constraint refund_requests_decided check ((decided_by is null) = (decided_at is null)),
    constraint refund_requests_refusal check ((state in ('refused', 'declined')) = (refusal is not null)
        and length(refusal) between 1 and 1000),
    constraint refund_requests_due check ((state = 'wanted') = (next_try_at is not null)),
    foreign key (provider, payment_id) references payments (provider, payment_id)
);
comment on column refund_requests.id is 'Also the idempotency key at the provider, and what its refund carries as metadata.';
comment on column refund_requests.key is 'Of the form that asked: sent twice it is one request.';
comment on column refund_requests.amount_minor is 'In the currency''s minor unit, as it was shown to whoever asked.';
comment on column refund_requests.takes_two is 'Above the limit: another admin than the one who asked has to confirm.';
comment on column refund_requests.state is
    'waiting: for the second admin; wanted: to be said to the provider, or said without an answer; sent: taken by it; refused: by it; declined: by the second admin; withdrawn: by whoever asked.';
comment on column refund_requests.refusal is 'Why it was refused or declined, in a sentence.';
comment on column refund_requests.first_tried_at is 'Providers remember a key for a day: after that it must not be tried again.';
comment on column refund_requests.next_try_at is 'When the provider is told (again); moved on before each try.';

-- What an order's page shows, what is left of a payment, what waits for a second admin, and what is due.
create index refund_requests_order on refund_requests (order_id);
create index refund_requests_payment on refund_requests (provider, payment_id);
create index refund_requests_waiting on refund_requests (created_at) where state = 'waiting';
create index refund_requests_next_try on refund_requests (next_try_at) where state = 'wanted';

grant select, insert on refund_requests to atlas_app;
grant update (state, decided_by, decided_at, refusal, tries, first_tried_at, next_try_at, changed_at) on refund_requests to atlas_app;

alter table refunds
    add column request_id uuid,
    add column failure text,
    add constraint refunds_failure check (length(failure) between 1 and 300) not valid;
alter table refunds validate constraint refunds_failure;
comment on column refunds.request_id is
    'The request that it answers, by the provider''s word. Without a foreign key: what comes from outside may name anything.';
comment on column refunds.failure is 'Why it came back, in the provider''s words.';
create index refunds_request on refunds (request_id) where request_id is not null;
grant update (request_id, failure) on refunds to atlas_app;
