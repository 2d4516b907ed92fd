-- Plans are looked after by admins: shown to everybody or by a link alone, retired when they were sold, deleted when not.

alter table plan_versions
    add column visibility text not null default 'listed',
    add column created_by uuid references user_profiles (id),
    add constraint plan_versions_visibility check (visibility in ('listed', 'unlisted'));
comment on column plan_versions.visibility is 'listed: on the page of plans. unlisted: sold to whoever has the link.';
comment on column plan_versions.created_by is 'Whose edit it was; null where the program or an operator made it.';

alter table plans
    add column retired_at timestamptz,
    add column deleted_at timestamptz,
    add constraint plans_gone_is_off_sale check (not on_sale or (retired_at is null and deleted_at is null));
comment on column plans.retired_at is 'When it was taken off sale for good. What was sold of it stays as it is.';
comment on column plans.deleted_at is 'When a plan that nobody had ordered was put away; no page shows it.';
grant update (retired_at, deleted_at) on plans to atlas_app;

-- How often a plan was sold, and whether it was ever ordered.
create index credit_orders_version on credit_orders (plan_version_id, state);
