-- For reports, dashboards and whoever looks into something: reads, and sees nothing that opens a door. Logins are made members
-- of it. Whatever is not named here it can't read, so a new table is closed to it.
do $$ begin
    create role atlas_reader nologin;
exception when duplicate_object or unique_violation then
    null; -- Roles belong to the whole cluster; another database of it made this one.
end $$;
grant usage on schema public to atlas_reader;
grant select on plans, plan_versions, credit_orders, payments, refunds, disputes, reconciliation_breaks to atlas_reader;
grant select on credit_accounts, credit_transactions, credit_lots, credit_entries, credit_holds, credit_hold_lots, ledger_seals
    to atlas_reader;
grant select (id, email, name, role, created_at) on user_profiles to atlas_reader;
grant select (id, provider, event_id, kind, object_id, payment_id, state, reason, order_id, attempts, received_at, decided_at)
    on provider_events to atlas_reader;
grant select (id, name, prefix, scopes, counter, created_at, revoked_at, last_used_at) on api_keys to atlas_reader;
grant select (id, kind, order_id, state, tries, due_at, error, created_at, sent_at) on mails to atlas_reader;
