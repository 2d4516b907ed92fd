-- The names of the constraints are there, but they bind nothing: each row differs in its own id.
alter table provider_events drop constraint provider_events_once;
alter table provider_events add constraint provider_events_once unique (provider, event_id, id);
alter table credit_transactions drop constraint credit_transactions_once;
alter table credit_transactions add constraint credit_transactions_once unique (scope, key, id);
drop index credit_transactions_payment_granted_once;
create index credit_transactions_payment_granted_once on credit_transactions (provider, payment_id) where kind = 'grant';
