-- People who leave: the identity goes, what was booked stays under a person without one.

alter table user_profiles add column deleted_at timestamptz;
comment on column user_profiles.deleted_at is 'When the person left. What named them is gone; orders, payments and the ledger stay.';
grant update (deleted_at) on user_profiles to atlas_app;
-- What others see of somebody beside their orders. A function, for a column would mean to write the whole table anew; it reads
-- like one: person.known_as.
create function known_as(person user_profiles) returns text
language sql stable as $$
    select case when person.deleted_at is null then coalesce(person.email, person.claimed_email) else 'deleted account' end
$$;
revoke execute on function known_as from public;
grant execute on function known_as to atlas_app;
-- Whose late payments are looked for.
create index user_profiles_deleted on user_profiles (deleted_at) where deleted_at is not null;
-- What was written into a request for credits goes with them.
grant update (note) on credit_orders to atlas_app;

-- Closes a wallet: what is in it and not held expires now, through the same booking as any expiry. What is held expires
-- when its hold ends, for nothing takes an expired lot. Says how many credits expired.
create function credits_close_wallet(p_owner uuid) returns bigint
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set jit = off
as $$
declare
    v_wallet credit_accounts;
    v_before bigint;
begin
    select * into v_wallet from credit_accounts where owner_id = p_owner and kind = 'wallet' for no key update;
    if v_wallet.id is null then
        raise exception 'no wallet' using errcode = 'AC004';
    end if;
    v_before := v_wallet.posted;
    update credit_lots set expires_at = clock_timestamp()
    where account_id = v_wallet.id and is_open and (expires_at is null or expires_at > clock_timestamp());
    -- Lots that were due before come first, other people's too; what is left after this is swept within a minute.
    for i in 1..20 loop
        exit when not exists (
            select from credit_lots where account_id = v_wallet.id and is_open and remaining > held);
        perform credits_expire(1000);
    end loop;
    select * into v_wallet from credit_accounts where id = v_wallet.id;
    return v_before - v_wallet.posted;
end $$;

revoke execute on function credits_close_wallet from public;
grant execute on function credits_close_wallet to atlas_app;
