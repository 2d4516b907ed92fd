-- What may take a payment back. A refund or dispute may be told before its payment: it waits here, and counts from the
-- moment the payment lands.

alter table payments add column charged_minor bigint;
alter table payments add column refunded_said_minor bigint not null default 0;
alter table payments add column dispute_said boolean not null default false;
alter table payments add column taken_credits bigint not null default 0;
alter table payments add column frozen_credits bigint not null default 0;
alter table payments drop constraint payments_refunded;
alter table payments
    add constraint payments_charged check (charged_minor >= amount_minor),
    add constraint payments_refunded check (refunded_minor between 0 and coalesce(charged_minor, amount_minor, 0)),
    add constraint payments_refunded_said check (refunded_said_minor >= 0),
    add constraint payments_taken check (taken_credits >= 0 and frozen_credits >= 0),
    add constraint payments_taken_of_a_grant check (granted_by is not null or (taken_credits = 0 and frozen_credits = 0));
comment on column payments.charged_minor is 'What the buyer was charged, tax added on top included. Refunds are measured by it.';
comment on column payments.refunded_minor is 'Paid back for good, refunds and what the provider says of the payment taken together; never more than charged.';
comment on column payments.refunded_said_minor is 'The most that the provider said, with the payment, was refunded so far.';
comment on column payments.dispute_said is 'The provider said, with the payment, that it is disputed. Counts until a dispute of it is known.';
comment on column payments.taken_credits is 'Credits that refunds and lost disputes take back in all; the ledger is brought to it.';
comment on column payments.frozen_credits is 'Credits that wait for a refund or dispute under way; of those, the unspent ones are held.';

-- A payment and its grant name each other, and are written together.
alter table payments alter constraint payments_granted_by deferrable initially deferred;
grant update (charged_minor, refunded_minor, refunded_said_minor, dispute_said, taken_credits, frozen_credits) on payments
    to atlas_app;

create table refunds (
    provider text not null,
    refund_id text not null,
    payment_id text not null,
    amount_minor bigint not null,
    currency text not null,
    state text not null,
    created_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    primary key (provider, refund_id),
    constraint refunds_provider check (provider in ('whop', 'stripe')),
    constraint refunds_amount check (amount_minor > 0),
    constraint refunds_currency check (currency ~ '^[a-z]{3}$'),
    constraint refunds_state check (state in ('pending', 'requires_action', 'canceled', 'succeeded', 'failed'))
);
comment on table refunds is 'One row per refund of the provider''s, whoever asked for it.';
comment on column refunds.payment_id is 'Without a foreign key: the refund may be told before its payment.';
create index refunds_payment on refunds (provider, payment_id);

create table disputes (
    provider text not null,
    dispute_id text not null,
    payment_id text not null,
    amount_minor bigint,
    currency text,
    state text not null,
    respond_by timestamptz,
    created_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    primary key (provider, dispute_id),
    constraint disputes_provider check (provider in ('whop', 'stripe')),
    constraint disputes_amount check (amount_minor > 0 and (amount_minor is null) = (currency is null)),
    constraint disputes_currency check (currency ~ '^[a-z]{3}$'),
    constraint disputes_state check (state in ('inquiry', 'inquiry_closed', 'open', 'prevented', 'won', 'lost'))
);
comment on column disputes.amount_minor is 'What is disputed; null: not said in the payment''s currency, so all of it.';
comment on column disputes.respond_by is 'Until when evidence can be sent.';
create index disputes_payment on disputes (provider, payment_id);
create index disputes_open on disputes (respond_by) where state in ('inquiry', 'open');

grant select, insert on refunds, disputes to atlas_app;
grant update (amount_minor, state, changed_at) on refunds to atlas_app;
grant update (amount_minor, currency, state, respond_by, changed_at) on disputes to atlas_app;

-- An event about a payment that is not known yet waits for it.
alter table provider_events add column payment_id text;
alter table provider_events drop constraint provider_events_state;
alter table provider_events
    add constraint provider_events_state check (state in ('received', 'applied', 'ignored', 'waiting', 'quarantined', 'parked'));
comment on column provider_events.state is
    'ignored: nothing to do with us; waiting: for its payment; quarantined: authentic but does not fit, moved nothing; parked: failed on our side.';
comment on column provider_events.payment_id is 'The payment that it is about, in the provider''s words.';
create index provider_events_waiting on provider_events (provider, payment_id) where state = 'waiting';
create index provider_events_payment on provider_events (provider, payment_id) where payment_id is not null;
drop index provider_events_unsettled;
create index provider_events_unsettled on provider_events (received_at) where state in ('received', 'waiting', 'quarantined', 'parked');
