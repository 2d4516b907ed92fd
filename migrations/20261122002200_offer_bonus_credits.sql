-- A plan can give bonus credits beside those that it sells. The order keeps what was said when it was made, as it does for the
-- credits. Constant defaults are only noted in the catalogue, so that no table is rewritten.

alter table plan_versions
    add column bonus_credits bigint not null default 0,
    add column bonus_expires_after_days integer,
    add constraint plan_versions_bonus check (bonus_credits between 0 and 1000000000000),
    add constraint plan_versions_bonus_expires check (bonus_expires_after_days is null
        or bonus_expires_after_days between 1 and 3650 and bonus_credits > 0);
comment on column plan_versions.bonus_credits is 'Given with the payment, beside the credits that are paid for; 0: none.';
comment on column plan_versions.bonus_expires_after_days is
    'Days from the arrival of the bonus to its end; null: it ends when the plan''s credits do.';

-- Not valid: no row from before has a value, and looking at all of them would keep others waiting.
alter table credit_orders
    add column bonus_credits bigint not null default 0,
    add column bonus_expires_after_days integer,
    add constraint credit_orders_bonus check (bonus_credits between 0 and 1000000000000) not valid,
    add constraint credit_orders_bonus_expires check (bonus_expires_after_days is null
        or bonus_expires_after_days between 1 and 3650 and bonus_credits > 0) not valid;
comment on column credit_orders.bonus_credits is 'As the plan said when it was ordered.';
comment on column credit_orders.bonus_expires_after_days is 'As the plan said when it was ordered.';

alter table payments
    add column taken_bonus bigint not null default 0,
    add column frozen_bonus bigint not null default 0,
    add constraint payments_bonus_levels check (taken_bonus >= 0 and frozen_bonus >= 0) not valid;
comment on column payments.taken_bonus is 'Of the bonus, taken back for good in all: the same share of it as taken_credits is of the credits.';
comment on column payments.frozen_bonus is 'Of the bonus, held as far as it is unspent, until it is decided.';
grant update (taken_bonus, frozen_bonus) on payments to atlas_app;
