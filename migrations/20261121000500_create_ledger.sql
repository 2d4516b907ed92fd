-- The credit ledger. Credits move only through the functions of the next step; these tables hold what moved, and
-- refuse to forget. One credit is the smallest unit.

create table credit_accounts (
    id bigint generated always as identity primary key,
    kind text not null,
    owner_id uuid references user_profiles (id),
    code text unique,
    posted bigint not null default 0,
    held bigint not null default 0,
    debt bigint not null default 0,
    seq bigint not null default 0,
    created_at timestamptz not null default now(),
    constraint credit_accounts_kind check (kind in ('wallet', 'system')),
    constraint credit_accounts_owner check ((kind = 'wallet') = (owner_id is not null)),
    constraint credit_accounts_code check ((kind = 'system') = (code is not null)),
    constraint credit_accounts_posted check (posted between 0 and 1000000000000000),
    constraint credit_accounts_held check (held between 0 and posted),
    constraint credit_accounts_debt check (debt between 0 and 1000000000000000),
    constraint credit_accounts_system_is_derived check (kind = 'wallet' or (posted = 0 and held = 0 and debt = 0 and seq = 0))
) with (fillfactor = 70);
comment on table credit_accounts is
    'A wallet is the one row to lock for its owner. System accounts carry no balance: theirs is the sum of their entries.';
comment on column credit_accounts.posted is 'Credits in the wallet, held ones included.';
comment on column credit_accounts.held is 'Of those, reserved by open holds.';
comment on column credit_accounts.debt is 'Credits owed after a refund of what was already spent; the next grant repays it.';
comment on column credit_accounts.seq is 'Number of the wallet''s last entry.';

create unique index credit_accounts_wallet on credit_accounts (owner_id) where kind = 'wallet';

create table credit_transactions (
    id uuid primary key,
    account_id bigint not null references credit_accounts (id),
    kind text not null,
    scope text not null,
    key text not null,
    request_hash bytea not null,
    net bigint not null,
    debt_change bigint not null default 0,
    balance_after bigint not null,
    debt_after bigint not null,
    last_seq bigint not null,
    order_id uuid references credit_orders (id),
    provider text,
    payment_id text,
    actor text not null,
    description text not null,
    created_at timestamptz not null default clock_timestamp(),
    constraint credit_transactions_once unique (scope, key),
    constraint credit_transactions_kind check (kind in ('grant', 'spend', 'capture', 'expire', 'clawback', 'reinstate',
        'transfer', 'adjust')),
    constraint credit_transactions_key_form check (length(key) between 1 and 255 and length(scope) between 1 and 100),
    constraint credit_transactions_moves check (net <> 0 or debt_change <> 0),
    constraint credit_transactions_after check (balance_after >= 0 and debt_after >= 0),
    constraint credit_transactions_text check (length(description) between 1 and 500 and length(actor) between 1 and 200),
    foreign key (provider, payment_id) references payments (provider, payment_id)
);
comment on table credit_transactions is 'One operation on one wallet. Its row is also the answer that a repeated request gets.';
comment on column credit_transactions.scope is 'Whose keys these are: whop:payment, order, api:<key id>. With key unique for ever.';
comment on column credit_transactions.request_hash is 'SHA-256 of what was asked for: the same key with another request is refused.';
comment on column credit_transactions.net is 'Change of the wallet''s posted credits.';
comment on column credit_transactions.last_seq is 'Number of its last entry in the wallet.';
comment on column credit_transactions.created_at is
    'Read under the wallet''s lock, not when the transaction began, so that the statement''s times run with its numbers.';
comment on column credit_transactions.actor is 'Who did it: whop, person:<id>, admin:<id>, api:<key id>, system.';
comment on column credit_transactions.description is 'What the owner of the wallet reads in the statement.';

-- The statement, newest first and back.
create unique index credit_transactions_statement on credit_transactions (account_id, last_seq);
create index credit_transactions_order on credit_transactions (order_id) where order_id is not null;
-- The same order or payment is granted once, whatever the key.
create unique index credit_transactions_payment_granted_once on credit_transactions (provider, payment_id) where kind = 'grant';
create unique index credit_transactions_order_approved_once on credit_transactions (order_id)
    where kind = 'grant' and payment_id is null;

create table credit_lots (
    id bigint generated always as identity primary key,
    account_id bigint not null references credit_accounts (id),
    transaction_id uuid not null unique references credit_transactions (id),
    source text not null,
    priority smallint not null,
    granted bigint not null,
    remaining bigint not null,
    held bigint not null default 0,
    expires_at timestamptz,
    order_id uuid references credit_orders (id),
    provider text,
    payment_id text,
    paid_minor bigint,
    currency text,
    created_at timestamptz not null default now(),
    constraint credit_lots_source check (source in ('purchase', 'manual', 'promo', 'subscription', 'refund', 'transfer')),
    constraint credit_lots_granted check (granted between 1 and 1000000000000),
    constraint credit_lots_remaining check (remaining between 0 and granted),
    constraint credit_lots_held check (held between 0 and remaining),
    constraint credit_lots_paid check (paid_minor >= 0 and (paid_minor is null) = (currency is null)),
    unique (id, account_id),
    foreign key (provider, payment_id) references payments (provider, payment_id)
) with (fillfactor = 70);
comment on column credit_lots.priority is 'Spent first: the smallest number, then the earliest expiry, then the oldest.';
comment on column credit_lots.paid_minor is 'What was paid for the lot, in the currency''s minor unit. Null: nothing was paid online.';

-- The order in which lots are spent.
create index credit_lots_burn_order on credit_lots (account_id, priority, expires_at, id) where remaining > 0;
create index credit_lots_due on credit_lots (expires_at) where remaining > 0 and expires_at is not null;

create table credit_entries (
    id bigint generated always as identity primary key,
    transaction_id uuid not null references credit_transactions (id),
    line integer not null,
    account_id bigint not null references credit_accounts (id),
    counter_id bigint not null references credit_accounts (id),
    lot_id bigint,
    bucket text not null,
    amount bigint not null,
    account_seq bigint not null,
    balance_after bigint not null,
    created_at timestamptz not null default now(),
    constraint credit_entries_bucket check (bucket in ('posted', 'debt')),
    constraint credit_entries_amount check (amount <> 0),
    constraint credit_entries_lot check ((bucket = 'posted') = (lot_id is not null)),
    constraint credit_entries_counter check (account_id <> counter_id),
    constraint credit_entries_after check (balance_after >= 0),
    unique (transaction_id, line),
    unique (account_id, account_seq),
    foreign key (lot_id, account_id) references credit_lots (id, account_id)
);
comment on table credit_entries is
    'One movement of one lot (or of the debt) against one system account. The wallet''s side is written, the other implied.';
comment on column credit_entries.bucket is 'posted: credits of a lot. debt: credits owed.';
comment on column credit_entries.balance_after is 'The bucket''s balance in the wallet after this entry.';

create index credit_entries_lot on credit_entries (lot_id) where lot_id is not null;

create table credit_holds (
    id uuid primary key,
    account_id bigint not null references credit_accounts (id),
    scope text not null,
    key text not null,
    request_hash bytea not null,
    amount bigint not null,
    captured bigint not null default 0,
    state text not null default 'open',
    expires_at timestamptz,
    created_at timestamptz not null default now(),
    constraint credit_holds_once unique (scope, key),
    constraint credit_holds_amount check (amount between 1 and 1000000000000),
    constraint credit_holds_captured check (captured between 0 and amount),
    constraint credit_holds_state check (state in ('open', 'captured', 'released', 'expired')),
    constraint credit_holds_capture_state check (state = 'captured' or captured = 0),
    unique (id, account_id)
);
comment on table credit_holds is 'Credits reserved for something under way: captured up to the amount, released, or expired.';

create table credit_hold_lots (
    hold_id uuid not null,
    account_id bigint not null,
    lot_id bigint not null,
    amount bigint not null,
    primary key (hold_id, lot_id),
    constraint credit_hold_lots_amount check (amount > 0),
    foreign key (hold_id, account_id) references credit_holds (id, account_id),
    foreign key (lot_id, account_id) references credit_lots (id, account_id)
);
comment on table credit_hold_lots is 'Which lots a hold reserves, so that their expiry passes them by.';

create trigger credit_transactions_append_only before update or delete on credit_transactions
    for each row execute function refuse_change();
create trigger credit_transactions_not_truncated before truncate on credit_transactions
    for each statement execute function refuse_change();
create trigger credit_entries_append_only before update or delete on credit_entries
    for each row execute function refuse_change();
create trigger credit_entries_not_truncated before truncate on credit_entries
    for each statement execute function refuse_change();

alter table payments add constraint payments_granted_by foreign key (granted_by) references credit_transactions (id);

-- Large append-only tables: fractions of their size never come due, so absolute thresholds.
alter table credit_entries set (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000);
alter table credit_transactions set (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000);

insert into credit_accounts (kind, code) values
    ('system', 'sales:whop'), ('system', 'sales:stripe'), ('system', 'manual'), ('system', 'promo'),
    ('system', 'consumed:app'), ('system', 'expired'), ('system', 'clawed'), ('system', 'debt');
