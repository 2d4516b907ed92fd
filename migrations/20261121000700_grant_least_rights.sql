-- What the running application may do. It owns nothing: on the ledger it may only read and call the functions.

do $$ begin
    create role atlas_app nologin;
exception when duplicate_object or unique_violation then
    null; -- Roles belong to the whole cluster; another database of it made this one.
end $$;

revoke all on schema public from public;
grant usage on schema public to atlas_app;

grant select, insert on user_profiles to atlas_app;
grant update (email, name, password_hash, role) on user_profiles to atlas_app;
grant select, insert, update, delete on sessions to atlas_app;

grant select, insert on plans, plan_versions to atlas_app;
grant update (position, on_sale) on plans to atlas_app;

grant select, insert on credit_orders to atlas_app;
grant update (state, failure, failure_message, checkout_id, checkout_url, provider_plan_id, asked_at, opened_at, settled_at,
    changed_at) on credit_orders to atlas_app;
grant select, insert on payments to atlas_app;
grant update (state, amount_minor, currency, failure, failure_message, method, paid_at, granted_by, changed_at)
    on payments to atlas_app;
grant select, insert on provider_events to atlas_app;
grant update (state, reason, order_id, attempts, decided_at) on provider_events to atlas_app;

grant select on credit_accounts, credit_transactions, credit_lots, credit_entries, credit_holds, credit_hold_lots to atlas_app;
revoke execute on all functions in schema public from public;
grant execute on function credits_open_wallet, credits_grant, credits_spend to atlas_app;
grant select on _sqlx_migrations to atlas_app;
