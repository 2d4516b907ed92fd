-- How often each version of a plan was sold, counted anew each hour: a page adds what was settled since, which is little. Both go by the
-- index credit_orders_settled_of_version.
create table figure_sales (
    plan_version_id uuid primary key references plan_versions (id),
    sold bigint not null,
    counted_to timestamptz not null,
    constraint figure_sales_sold check (sold >= 0)
);
comment on table figure_sales is 'Versions that are missing here were made since: all of their orders are counted when they are asked for.';
comment on column figure_sales.sold is 'Orders that were paid or approved, and settled before counted_to.';
comment on column figure_sales.counted_to is 'Some minutes before it was counted: all that was settled earlier stood there by then.';
grant select, insert, update on figure_sales to atlas_app;
