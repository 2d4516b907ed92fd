-- Each plan's counterpart at Whop: what we know of it, and whether it says what we say.

create table whop_plans (
    plan_id uuid primary key references plans (id),
    state text not null,
    whop_plan_id text,
    product_id text,
    adopted_at timestamptz,
    copies integer not null default 0,
    begun_from integer,
    version integer,
    note text,
    checked_at timestamptz,
    changed_at timestamptz not null,
    constraint whop_plans_state check (state in ('waiting', 'in_step', 'drifted', 'failed')),
    constraint whop_plans_note check (length(note) between 1 and 1000),
    constraint whop_plans_product_with_plan check (product_id is null or whop_plan_id is not null),
    constraint whop_plans_one_plan_each unique (whop_plan_id)
);
comment on column whop_plans.state is 'waiting: a change has still to get there. drifted: it was changed there. failed: Whop said no.';
comment on column whop_plans.whop_plan_id is 'Whop''s id of it, plan_…; null until it is made.';
comment on column whop_plans.product_id is 'The product that was made with it, prod_…; null for a plan that was adopted: its product is not ours.';
comment on column whop_plans.adopted_at is 'When an admin named it; null: it was made by us.';
comment on column whop_plans.copies is 'How many counterparts were begun: a part of the idempotency key.';
comment on column whop_plans.begun_from is 'The version that one is being made from, so that every try sends the same; null: none is under way.';
comment on column whop_plans.version is 'The version that it shows.';
comment on column whop_plans.note is 'What differs, or why it could not be done: a sentence.';
comment on column whop_plans.checked_at is 'When Whop last told us how it stands there.';
grant select, insert, update on whop_plans to atlas_app;
