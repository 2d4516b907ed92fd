-- Reconciliation: when an open order's provider is asked next, and where the books don't agree.

alter table credit_orders add column asks smallint not null default 0;
alter table credit_orders add column next_ask_at timestamptz;
-- For what the previous version of the program still writes.
alter table credit_orders alter column next_ask_at set default now() + interval '1 minute';
update credit_orders set next_ask_at = now() + interval '1 minute'
    where state in ('created', 'opened', 'processing', 'failed', 'expired') and created_at > now() - interval '72 hours';
alter table credit_orders add constraint credit_orders_asks check (asks >= 0);
comment on column credit_orders.asks is 'How often the sweep has asked the provider about it.';
comment on column credit_orders.next_ask_at is 'When the sweep asks next, as long as it may still be paid; null: never again.';

-- Whose turn it is.
create index credit_orders_next_ask on credit_orders (next_ask_at)
    where state in ('opened', 'processing', 'failed', 'expired') and checkout_id is not null and next_ask_at is not null;
grant update (asks, next_ask_at) on credit_orders to atlas_app;

-- What a window of time compares.
create index payments_created on payments (created_at);

create table reconciliation_breaks (
    id bigint generated always as identity primary key,
    kind text not null,
    subject text not null,
    detail text not null,
    first_seen timestamptz not null,
    last_seen timestamptz not null,
    resolved_at timestamptz,
    constraint reconciliation_breaks_kind check (kind in ('paid_not_granted', 'granted_not_paid', 'amount_differs',
        'refund_missing', 'dispute_missing', 'taken_back_differs', 'unknown_payment', 'order_stuck')),
    constraint reconciliation_breaks_subject check (length(subject) between 1 and 300),
    constraint reconciliation_breaks_detail check (length(detail) between 1 and 1000),
    constraint reconciliation_breaks_seen check (first_seen <= last_seen and last_seen <= coalesce(resolved_at, last_seen))
);
comment on table reconciliation_breaks is 'One row per break for as long as it stands; one that comes back after it was resolved is a new row.';
comment on column reconciliation_breaks.subject is 'What does not add up: whop:pay_…, or an order''s id.';
comment on column reconciliation_breaks.detail is 'What the provider says and what we say, for a person.';

create unique index reconciliation_breaks_open on reconciliation_breaks (kind, subject) where resolved_at is null;

grant select, insert on reconciliation_breaks to atlas_app;
grant update (detail, last_seen, resolved_at) on reconciliation_breaks to atlas_app;
