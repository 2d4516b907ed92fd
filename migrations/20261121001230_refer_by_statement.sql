-- What the rows of the money path refer to is looked up once for a statement, not once for each row: a foreign key starts a
-- query of its own for every row and every reference, which was a third of what a grant costs. The same is refused as before,
-- and with the same code. A foreign key also holds its other end: here nobody may delete one or change its id.

-- The ledger. These run with the rights and the settings of the kernel's functions, which alone may insert.

create function credit_transactions_refer() returns trigger language plpgsql as $$
begin
    if exists (
        select from fresh
        where (select true from public.credit_accounts where id = fresh.account_id) is null
            or fresh.order_id is not null and (select true from public.credit_orders where id = fresh.order_id) is null
            or fresh.provider is not null and fresh.payment_id is not null and (select true from public.payments p
                where p.provider = fresh.provider and p.payment_id = fresh.payment_id) is null
    ) then
        raise foreign_key_violation using message = 'credit_transactions would name a wallet, an order or a payment that does not exist';
    end if;
    return null;
end $$;

create function credit_lots_refer() returns trigger language plpgsql as $$
begin
    if exists (
        select from fresh where (select true from public.credit_transactions where id = fresh.transaction_id) is null
    ) then
        raise foreign_key_violation using message = 'credit_lots would name a transaction that does not exist';
    end if;
    return null;
end $$;

create function credit_entries_refer() returns trigger language plpgsql as $$
begin
    if exists (
        select from fresh
        where (select true from public.credit_transactions where id = fresh.transaction_id) is null
            or fresh.lot_id is not null and (select true from public.credit_lots
                where id = fresh.lot_id and account_id = fresh.account_id) is null
    ) then
        raise foreign_key_violation using message = 'credit_entries would name a transaction, or a lot of that wallet that does not exist';
    end if;
    return null;
end $$;
revoke execute on function credit_transactions_refer, credit_lots_refer, credit_entries_refer from public;

create trigger credit_transactions_refer after insert on credit_transactions referencing new table as fresh
    for each statement execute function credit_transactions_refer();
create trigger credit_lots_refer after insert on credit_lots referencing new table as fresh
    for each statement execute function credit_lots_refer();
create trigger credit_entries_refer after insert on credit_entries referencing new table as fresh
    for each statement execute function credit_entries_refer();

alter table credit_transactions drop constraint credit_transactions_account_id_fkey;
alter table credit_transactions drop constraint credit_transactions_order_id_fkey;
alter table credit_transactions drop constraint credit_transactions_provider_payment_id_fkey;
alter table credit_lots drop constraint credit_lots_transaction_id_fkey;
alter table credit_entries drop constraint credit_entries_transaction_id_fkey;
alter table credit_entries drop constraint credit_entries_lot_id_account_id_fkey;

-- The rows around it, all of which name an order.
create function refer_to_orders() returns trigger language plpgsql as $$
begin
    if exists (
        select from fresh
        where fresh.order_id is not null and (select true from public.credit_orders where id = fresh.order_id) is null
    ) then
        raise foreign_key_violation using message = tg_table_name || ' would name an order that does not exist';
    end if;
    return null;
end $$;
revoke execute on function refer_to_orders from public;

create trigger payments_refer after insert on payments referencing new table as fresh
    for each statement execute function refer_to_orders();
create trigger mails_refer after insert on mails referencing new table as fresh
    for each statement execute function refer_to_orders();
create trigger provider_events_refer after insert on provider_events referencing new table as fresh
    for each statement execute function refer_to_orders();
create trigger provider_events_refer_still after update on provider_events referencing new table as fresh
    for each statement execute function refer_to_orders();

alter table payments drop constraint payments_order_id_fkey;
alter table mails drop constraint mails_order_id_fkey;
alter table provider_events drop constraint provider_events_order_id_fkey;

-- The other ends. Transactions and entries are never changed at all; accounts are kept since 0800.
create trigger credit_accounts_named before update of id on credit_accounts for each row
    when (new.id is distinct from old.id) execute function refuse_change();
create trigger credit_lots_kept before delete on credit_lots for each row execute function refuse_change();
create trigger credit_lots_not_truncated before truncate on credit_lots for each statement execute function refuse_change();
create trigger credit_lots_named before update of id, account_id, transaction_id on credit_lots for each row
    when ((new.id, new.account_id, new.transaction_id) is distinct from (old.id, old.account_id, old.transaction_id))
    execute function refuse_change();
create trigger credit_orders_kept before delete on credit_orders for each row execute function refuse_change();
create trigger credit_orders_not_truncated before truncate on credit_orders for each statement execute function refuse_change();
create trigger credit_orders_named before update of id on credit_orders for each row
    when (new.id is distinct from old.id) execute function refuse_change();
create trigger payments_kept before delete on payments for each row execute function refuse_change();
create trigger payments_not_truncated before truncate on payments for each statement execute function refuse_change();
create trigger payments_named before update of provider, payment_id, order_id on payments for each row
    when ((new.provider, new.payment_id, new.order_id) is distinct from (old.provider, old.payment_id, old.order_id))
    execute function refuse_change();
create trigger mails_named before update of order_id on mails for each row
    when (new.order_id is distinct from old.order_id) execute function refuse_change();
