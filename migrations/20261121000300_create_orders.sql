-- One wish to buy, with a snapshot of what was offered, and the payments that came of it.

create table credit_orders (
    id uuid primary key,
    buyer_id uuid not null references user_profiles (id),
    key text not null,
    plan_version_id uuid not null references plan_versions (id),
    plan_name text not null,
    credits bigint not null,
    price_minor bigint,
    currency text,
    provider text not null,
    state text not null,
    failure text,
    failure_message text,
    note text,
    checkout_id text,
    checkout_url text,
    provider_plan_id text,
    asked_at timestamptz,
    created_at timestamptz not null default now(),
    opened_at timestamptz,
    settled_at timestamptz,
    changed_at timestamptz not null default now(),
    constraint credit_orders_key unique (buyer_id, key),
    constraint credit_orders_key_form check (length(key) between 8 and 128),
    constraint credit_orders_credits check (credits between 1 and 1000000000000),
    constraint credit_orders_price check (price_minor between 1 and 1000000000000),
    constraint credit_orders_currency check (currency ~ '^[a-z]{3}$'),
    constraint credit_orders_price_has_currency check ((price_minor is null) = (currency is null)),
    constraint credit_orders_provider check (provider in ('whop', 'stripe', 'manual')),
    constraint credit_orders_state check (state in ('created', 'opened', 'processing', 'paid', 'failed', 'expired',
        'under_review', 'requested', 'approved', 'rejected')),
    constraint credit_orders_failure check ((state = 'failed') = (failure is not null)),
    constraint credit_orders_priced check (provider = 'manual' or price_minor is not null),
    constraint credit_orders_note_length check (length(note) <= 2000)
);
comment on column credit_orders.key is 'The form''s idempotency key: the same form sent twice is the same order.';
comment on column credit_orders.checkout_id is 'The provider''s id of the checkout; payments are matched to orders by it.';
comment on column credit_orders.provider_plan_id is 'The provider''s id of what is sold, to look payments up by.';
comment on column credit_orders.asked_at is 'When we last asked the provider ourselves.';
comment on column credit_orders.settled_at is 'When the credits were granted, or an admin decided.';

create unique index credit_orders_checkout on credit_orders (provider, checkout_id) where checkout_id is not null;
-- The buyer's own list, newest first.
create index credit_orders_buyer on credit_orders (buyer_id, created_at desc, id desc);
-- The sweep that expires what was never paid.
create index credit_orders_open on credit_orders (created_at) where state in ('created', 'opened', 'processing', 'failed');

create table payments (
    provider text not null,
    payment_id text not null,
    order_id uuid not null references credit_orders (id),
    buyer_id uuid not null references user_profiles (id),
    state text not null,
    amount_minor bigint,
    currency text,
    refunded_minor bigint not null default 0,
    failure text,
    failure_message text,
    method text,
    paid_at timestamptz,
    granted_by uuid,
    created_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    primary key (provider, payment_id),
    constraint payments_provider check (provider in ('whop', 'stripe')),
    constraint payments_state check (state in ('created', 'requires_action', 'pending', 'canceled', 'failed', 'succeeded')),
    constraint payments_amount check (amount_minor >= 0),
    constraint payments_currency check (currency ~ '^[a-z]{3}$'),
    constraint payments_refunded check (refunded_minor between 0 and coalesce(amount_minor, 0))
);
comment on column payments.amount_minor is 'What the buyer paid for the credits, without tax added on top.';
comment on column payments.method is 'For the receipt: visa •••• 4242.';
comment on column payments.granted_by is 'The ledger transaction that granted the credits for it.';

create index payments_order on payments (order_id);
