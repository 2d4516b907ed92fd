-- What is for sale. A plan's terms stand in versions that never change; an edit adds a version.

create table plans (
    id uuid primary key,
    slug text not null unique,
    position integer not null default 0,
    on_sale boolean not null default true,
    created_at timestamptz not null default now(),
    constraint plans_slug_form check (slug ~ '^[a-z0-9-]{1,40}$')
);
comment on column plans.slug is 'Its name in addresses and logs: starter.';
comment on column plans.position is 'Order on the page, smallest first.';

create table plan_versions (
    id uuid primary key,
    plan_id uuid not null references plans (id),
    version integer not null,
    name text not null,
    description text not null default '',
    credits bigint not null,
    price_minor bigint,
    currency text,
    created_at timestamptz not null default now(),
    constraint plan_versions_number check (version >= 1),
    constraint plan_versions_name_form check (length(name) between 1 and 80),
    constraint plan_versions_credits check (credits between 1 and 1000000000000),
    constraint plan_versions_price check (price_minor between 1 and 1000000000000),
    constraint plan_versions_currency check (currency ~ '^[a-z]{3}$'),
    constraint plan_versions_price_has_currency check ((price_minor is null) = (currency is null)),
    unique (plan_id, version)
);
comment on column plan_versions.price_minor is 'In the currency''s minor unit (cents). Null: the price is by agreement.';

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = '42501';
end $$;

create trigger plan_versions_append_only before update or delete on plan_versions
    for each row execute function refuse_change();
create trigger plan_versions_not_truncated before truncate on plan_versions
    for each statement execute function refuse_change();
