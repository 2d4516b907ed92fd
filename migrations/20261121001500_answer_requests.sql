-- A request is answered by a person, who says why. What was asked for stays as it was; what was given stands beside it.

alter table credit_orders
    add column answered_by uuid references user_profiles (id),
    add column answer_reason text,
    add column granted_credits bigint,
    add constraint credit_orders_answer_reason check (length(answer_reason) between 1 and 500),
    add constraint credit_orders_granted_credits check (granted_credits between 1 and 1000000000000),
    add constraint credit_orders_answered check ((state in ('approved', 'rejected')) = (answer_reason is not null)),
    add constraint credit_orders_granted check ((state = 'approved') = (granted_credits is not null));
comment on column credit_orders.answered_by is 'The person who approved or declined the request; null where an operator did, by a command.';
comment on column credit_orders.answer_reason is 'Why; of a declined request the buyer reads it.';
comment on column credit_orders.granted_credits is 'What an approved request gave: as asked for, unless whoever approved corrected it.';

grant update (answered_by, answer_reason, granted_credits) on credit_orders to atlas_app;

-- Every order, newest first, and those of one state; a search begins at an index of its own.
create index credit_orders_newest on credit_orders (created_at desc, id desc);
create index credit_orders_state on credit_orders (state, created_at desc, id desc);

alter table mails drop constraint mails_kind;
alter table mails add constraint mails_kind check (kind in ('receipt', 'payment_failed', 'refunded', 'admin_payment_failed',
    'quarantined', 'break', 'confirm_email', 'reset_password', 'email_changed', 'password_changed', 'second_factor_on',
    'second_factor_off', 'recovery_code_used', 'codes_guessed', 'request_approved', 'request_rejected'));
