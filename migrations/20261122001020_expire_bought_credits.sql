-- Credits that are sold may end some days after they arrive. The order keeps what was said when it was made.

alter table plan_versions
    add column expires_after_days integer,
    add constraint plan_versions_expires check (expires_after_days between 1 and 3650);
comment on column plan_versions.expires_after_days is 'Days from the arrival of the credits to their end; null: they have none.';

-- Not valid: no row from before has a value, and looking at all of them would keep others waiting.
alter table credit_orders
    add column expires_after_days integer,
    add constraint credit_orders_expires check (expires_after_days between 1 and 3650) not valid;
comment on column credit_orders.expires_after_days is 'As the plan said when it was ordered.';
