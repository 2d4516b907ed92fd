-- What taking back, holding, moving between wallets and sealing need beside the first tables. Nothing here rewrites or
-- scans a table of any size but the two new indexes, which are small: few rows have a payment, fewer were taken back.

-- What was granted for a payment is found by credit_transactions_payment_granted_once; what was taken back, by this.
create index credit_transactions_payment_taken on credit_transactions (provider, payment_id)
    where kind in ('clawback', 'reinstate');
-- A payment's own lots: taken from first, and frozen.
create index credit_lots_payment on credit_lots (provider, payment_id) where payment_id is not null;

-- A transfer makes a lot for each that it takes from, all in one transaction. Every other kind makes one at most.
alter table credit_lots drop constraint credit_lots_transaction_id_key;
create unique index credit_lots_transaction on credit_lots (transaction_id) where source <> 'transfer';
create index credit_lots_transfer on credit_lots (transaction_id) where source = 'transfer';

-- A payment in dispute has what is unspent of it held.
alter table credit_holds add column provider text;
alter table credit_holds add column payment_id text;
alter table credit_holds add constraint credit_holds_payment
    foreign key (provider, payment_id) references payments (provider, payment_id);
comment on column credit_holds.payment_id is 'The disputed payment whose credits it freezes. Null: held for something under way.';
create unique index credit_holds_freeze on credit_holds (provider, payment_id) where state = 'open' and payment_id is not null;
-- What to end when it is due.
create index credit_holds_due on credit_holds (expires_at) where state = 'open' and expires_at is not null;
create index credit_hold_lots_lot on credit_hold_lots (lot_id);

-- An index whose condition names `remaining` makes every spend write to all indexes of its lot. Named by a column that changes
-- only when the lot is used up, it lets the others be updated in place.
alter table credit_lots add column is_open boolean generated always as (remaining > 0) stored;
comment on column credit_lots.is_open is 'Something remains in it.';
drop index credit_lots_burn_order;
drop index credit_lots_due;
create index credit_lots_burn_order on credit_lots (account_id, priority, expires_at, id) where is_open;
create index credit_lots_due on credit_lots (expires_at) where is_open and expires_at is not null;

-- Of the four rows that each entry was checked against, two say it all: its transaction, and its lot with the wallet. A lock on
-- the one row of a system account that all spends share was the dearest. What the checks gave is kept by not deleting accounts;
-- the audit joins the rest.
alter table credit_entries drop constraint credit_entries_counter_id_fkey;
alter table credit_entries drop constraint credit_entries_account_id_fkey;
create trigger credit_accounts_kept before delete on credit_accounts for each row execute function refuse_change();
create trigger credit_accounts_not_truncated before truncate on credit_accounts
    for each statement execute function refuse_change();

insert into credit_accounts (kind, code) values ('system', 'transit');

-- Turns the outcome of a batch's item into the error that the single form raises. AC006: what was asked makes no sense.
create function credits_refuse(p_outcome text, p_scope text, p_key text, p_owner uuid, p_counter text) returns void
language plpgsql immutable set search_path = public, pg_temp as $$
begin
    case p_outcome
        when 'done', 'replayed' then null;
        when 'key_reused' then
            raise exception 'the key % was used for another request in %', p_key, p_scope using errcode = 'AC001';
        when 'not_enough' then raise exception 'not enough credits' using errcode = 'AC002';
        when 'debt' then raise exception 'credits are owed' using errcode = 'AC003';
        when 'no_wallet' then raise exception 'no wallet for %', p_owner using errcode = 'AC004';
        when 'no_account' then raise exception 'no system account %', p_counter using errcode = 'AC005';
        else raise exception 'not a movement that the ledger knows' using errcode = 'AC006';
    end case;
end $$;
revoke execute on function credits_refuse from public;

-- For a transaction that calls the kernel more than once: locks all the wallets it will touch, by ascending id. Each call alone
-- does so by itself; two calls after one another might meet another transaction's two the other way round.
create function credits_lock_wallets(p_owner uuid[]) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform from credit_accounts where owner_id = any (p_owner) and kind = 'wallet' order by id for no key update;
end $$;
revoke execute on function credits_lock_wallets from public;
grant execute on function credits_lock_wallets to atlas_app;
