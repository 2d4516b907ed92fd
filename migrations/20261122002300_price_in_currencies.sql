-- A plan may be sold in further currencies. A version keeps its main price in its own columns; the others stand beside it, and like
-- the version they never change.

create table plan_version_prices (
    version_id uuid not null references plan_versions (id),
    currency text not null,
    price_minor bigint not null,
    primary key (version_id, currency),
    constraint plan_version_prices_currency check (currency ~ '^[a-z]{3}$'),
    constraint plan_version_prices_price check (price_minor between 1 and 1000000000000)
);
comment on table plan_version_prices is 'What a version costs in currencies other than its main one, at most ten.';
comment on column plan_version_prices.version_id is 'The version, which has a price of its own in another currency.';
comment on column plan_version_prices.price_minor is 'In the currency''s minor unit (cents, whole yen).';

create trigger plan_version_prices_append_only before update or delete on plan_version_prices
    for each row execute function refuse_change();
create trigger plan_version_prices_not_truncated before truncate on plan_version_prices
    for each statement execute function refuse_change();

-- A version is whole when it is committed: who looked at it has seen all its prices. So they come in the transaction that makes it.
create function check_version_prices() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
    if exists (
        select from new_prices price join plan_versions version on version.id = price.version_id
        where version.xmin <> pg_current_xact_id()::xid
    ) then
        raise exception 'a price for a version that stands already' using errcode = '42501';
    end if;
    if exists (
        select from new_prices price join plan_versions version on version.id = price.version_id
        where version.currency is null or version.currency = price.currency
    ) then
        raise exception 'a further price without a main one in another currency'
            using errcode = '23514', constraint = 'plan_version_prices_beside_main';
    end if;
    if exists (
        select from plan_version_prices price where price.version_id in (select version_id from new_prices)
        group by price.version_id having count(*) > 10
    ) then
        raise exception 'more than ten further prices' using errcode = '23514', constraint = 'plan_version_prices_ten';
    end if;
    return null;
end $$;
create trigger plan_version_prices_checked after insert on plan_version_prices
    referencing new table as new_prices for each statement execute function check_version_prices();

revoke execute on function check_version_prices from public;
grant select, insert on plan_version_prices to atlas_app;
