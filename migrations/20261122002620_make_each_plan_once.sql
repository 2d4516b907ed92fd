-- The form for a new plan carries a key, as the one for an order does: sent twice it makes one plan.
alter table plans
    add column form_key text constraint plans_made_once unique,
    add constraint plans_form_key check (form_key ~ '^[A-Za-z0-9_-]{8,128}$');
comment on column plans.form_key is 'Of the form that it was made with; null: made by the program, or before forms had keys.';
