-- The inbox: every authentic webhook, as it came, and what became of it.

create table provider_events (
    id uuid primary key,
    provider text not null,
    event_id text not null,
    kind text not null,
    object_id text,
    state text not null,
    reason text,
    order_id uuid references credit_orders (id),
    body bytea not null,
    body_hash bytea not null,
    secret text not null,
    attempts integer not null default 1,
    received_at timestamptz not null default now(),
    decided_at timestamptz,
    constraint provider_events_once unique (provider, event_id),
    constraint provider_events_state check (state in ('received', 'applied', 'ignored', 'quarantined', 'parked')),
    constraint provider_events_reason check (state not in ('quarantined', 'parked') or reason is not null),
    constraint provider_events_decided check ((state = 'received') = (decided_at is null)),
    constraint provider_events_secret check (secret in ('current', 'previous'))
);
comment on column provider_events.event_id is 'The provider''s id of the message, the same on each delivery of it.';
comment on column provider_events.kind is 'The provider''s name for it: payment.succeeded.';
comment on column provider_events.state is
    'ignored: nothing to do with us; quarantined: authentic but does not fit, moved nothing; parked: failed on our side.';
comment on column provider_events.body is 'The raw bytes that were signed.';
comment on column provider_events.secret is 'Which of our two secrets had signed it.';

create index provider_events_unsettled on provider_events (received_at) where state in ('received', 'quarantined', 'parked');
create index provider_events_order on provider_events (order_id) where order_id is not null;
