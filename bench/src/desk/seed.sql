-- A shop of some years at once: 100,000 people, 1,000,000 orders over twelve months, 5,000,000 entries of the ledger, 300,000 events.
-- Seven of each person's ten orders are paid; from the first lot they spent 43 times. The rows refer to each other rightly, so
-- nothing is checked one by one, and the figures are counted anew afterwards, as after a restore.
set session_replication_role = replica;
set synchronous_commit = off;
set work_mem = '256MB';

create temporary table people as
select n, ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid as id, 1000000 + n as account, 10000000 + n * 10 as lot
from generate_series(1, 100000) n;

insert into user_profiles (id, email, name, password_hash, created_at)
select id, 'person' || n || '@seed.example', 'Person ' || n, '', now() - interval '400 days' from people;
insert into credit_accounts (id, kind, owner_id, posted, seq) overriding system value
select account, 'wallet', id, 7 * 5000 - 43 * 100, 50 from people;

create temporary table bought as
select p.n, p.id as person, p.account, p.lot + k as lot, k,
    ('01910000-0000-7000-8000-' || lpad(to_hex(p.n * 10 + k), 12, '0'))::uuid as id,
    ('01920000-0000-7000-8000-' || lpad(to_hex(p.n * 10 + k), 12, '0'))::uuid as transaction,
    now() - make_interval(secs => (((p.n * 10 + k)::bigint * 7919) % 1000003) * 31.5) as at,
    case when k < 7 then 'paid' when k = 7 then 'expired' when k = 8 then 'failed' when p.n % 500 = 0 then 'requested'
        when p.n % 7 = 0 then 'rejected' else 'opened' end as state
from people p cross join generate_series(0, 9) k;

insert into credit_orders (id, buyer_id, key, plan_version_id, plan_name, credits, price_minor, currency, provider, state, failure,
    answer_reason, checkout_id, created_at, opened_at, settled_at, changed_at)
select id, person, 'seed-' || id, (select id from plan_versions order by id limit 1), 'Starter', 5000, 750, 'usd',
    case when state in ('requested', 'rejected') then 'manual' else 'whop' end, state, case when state = 'failed' then 'declined' end,
    case when state = 'rejected' then 'Not now' end, case when state in ('requested', 'rejected') then null else 'ch_seed' || n || '_' || k end,
    at, case when state in ('requested', 'rejected') then null else at end, case when state = 'paid' then at + interval '90 seconds' end, at
from bought;
insert into payments (provider, payment_id, order_id, buyer_id, state, amount_minor, charged_minor, currency, paid_at, granted_by, failure,
    created_at, changed_at)
select 'whop', 'pay_seed' || n || '_' || k, id, person, case when k = 8 then 'failed' else 'succeeded' end, 750, 750, 'usd', at,
    case when k < 7 then transaction end, case when k = 8 then 'declined' end, at, at
from bought where k < 7 or k = 8;
insert into refunds (provider, refund_id, payment_id, amount_minor, currency, state, created_at, changed_at)
select 'whop', 'rf_seed' || n, 'pay_seed' || n || '_0', 100, 'usd', 'succeeded', at, at from bought where k = 0 and n % 50 = 0;

insert into credit_transactions (id, account_id, kind, scope, key, request_hash, net, balance_after, debt_after, last_seq, order_id,
    provider, payment_id, actor, description, created_at)
select transaction, account, 'grant', 'whop:payment', 'pay_seed' || n || '_' || k, sha256('seed'), 5000, (k + 1) * 5000, 0, k + 1, id,
    'whop', 'pay_seed' || n || '_' || k, 'whop', 'Bought Starter', at + make_interval(secs => 1 + (n % 97) * (n % 89) / 900.0)
from bought where k < 7;
insert into credit_lots (id, account_id, transaction_id, source, priority, granted, remaining, order_id, provider, payment_id, paid_minor,
    currency, created_at) overriding system value
select lot, account, transaction, 'purchase', 100, 5000, case when k = 0 then 5000 - 4300 else 5000 end, id, 'whop',
    'pay_seed' || n || '_' || k, 750, 'usd', at
from bought where k < 7;
insert into credit_entries (transaction_id, line, account_id, counter_id, lot_id, bucket, amount, account_seq, balance_after)
select transaction, 1, account, (select id from credit_accounts where code = 'sales:whop'), lot, 'posted', 5000, k + 1, (k + 1) * 5000
from bought where k < 7;

create temporary table spent as
select p.account, p.lot, s, ('01930000-0000-7000-8000-' || lpad(to_hex(p.n * 64 + s), 12, '0'))::uuid as transaction,
    now() - make_interval(secs => (((p.n * 64 + s)::bigint * 104729) % 6400007) * 4.9) as at
from people p cross join generate_series(1, 43) s;
insert into credit_transactions (id, account_id, kind, scope, key, request_hash, net, balance_after, debt_after, last_seq, actor,
    description, created_at)
select transaction, account, 'spend', 'seed', transaction::text, sha256('seed'), -100, 35000 - s * 100, 0, 7 + s, 'app:seed', 'Used', at
from spent;
insert into credit_entries (transaction_id, line, account_id, counter_id, lot_id, bucket, amount, account_seq, balance_after)
select transaction, 1, account, (select id from credit_accounts where code = 'consumed:app'), lot, 'posted', -100, 7 + s, 35000 - s * 100
from spent;

insert into provider_events (id, provider, event_id, kind, object_id, payment_id, state, reason, order_id, body, body_hash, secret,
    received_at, decided_at)
select ('01940000-0000-7000-8000-' || lpad(to_hex(n * 10 + k), 12, '0'))::uuid, 'whop', 'evt_seed' || n || '_' || k, 'payment.succeeded',
    'pay_seed' || n || '_' || k, 'pay_seed' || n || '_' || k, case when n % 20000 = 0 then 'quarantined' else 'applied' end,
    case when n % 20000 = 0 then 'amount_mismatch' end, id, '{}', sha256('{}'), 'current', at, at
from bought where k < 3;

insert into audit_entries (number, at, actor, part, deed, about, about_id, change, previous, hash)
select (select coalesce(max(number), 0) from audit_entries) + n, now() - make_interval(secs => (100000 - n) * 300), 'system', 'seed', 'signed_in',
    'person', id::text, '{}', sha256('seed'), sha256(convert_to('seed' || n, 'UTF8'))
from people;

drop table people, bought, spent;
set session_replication_role = origin;
