-- The outbox: what is to be said by mail, written down in the transaction that made it true and sent afterwards.

create table mails (
    id bigint generated always as identity primary key,
    kind text not null,
    subject text not null,
    order_id uuid references credit_orders (id),
    state text not null default 'queued',
    tries smallint not null default 0,
    due_at timestamptz not null default 'epoch',
    error text,
    created_at timestamptz not null default now(),
    sent_at timestamptz,
    constraint mails_once unique (kind, subject),
    constraint mails_kind check (kind in ('receipt', 'payment_failed', 'refunded', 'admin_payment_failed', 'quarantined',
        'break')),
    constraint mails_subject check (length(subject) between 1 and 300),
    constraint mails_order check (order_id is not null or kind in ('quarantined', 'break')),
    constraint mails_state check (state in ('queued', 'sent', 'kept', 'moot', 'parked')),
    constraint mails_tries check (tries >= 0),
    constraint mails_sent check ((state = 'sent') = (sent_at is not null))
);
comment on column mails.subject is 'The id of what it is about: a payment, a refund, an event, a break. Announced once, however often it is said.';
comment on column mails.state is
    'kept: no mail server is set up; moot: no longer true when its turn came; parked: given up, a person may retry it.';
comment on column mails.tries is 'How often it was taken up to be sent, the present try included.';
comment on column mails.due_at is 'Not before; the distant past for at once. While it is being sent, when another may take it up again.';
comment on column mails.error is 'Why the last try failed.';

-- What waits, the longest waiting first.
create index mails_queued on mails (due_at, id) where state = 'queued';
-- When a digest was sent last.
create index mails_sent on mails (kind, sent_at) where state = 'sent' and kind in ('admin_payment_failed', 'quarantined', 'break');

grant select, insert on mails to atlas_app;
grant update (state, tries, due_at, error, sent_at) on mails to atlas_app;

-- Known before the first one is needed, so that no two transactions add it at the same moment.
insert into graphile_worker._private_tasks (identifier) values ('send_mails');
