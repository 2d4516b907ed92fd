-- What the provider says later of a payment that an admin linked to an order still names no checkout of ours. The payment's
-- own row says then which order it belongs to.
alter table payments add column linked boolean not null default false;
comment on column payments.linked is 'an admin said to which order it belongs; its checkout does not';
grant update (linked) on payments to atlas_app;
