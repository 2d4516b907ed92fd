-- People hear of what was done to their credits by hand: given, taken, a debt forgiven. Such a mail is about a person, and its subject is
-- the deed.
alter table mails drop constraint mails_kind;
alter table mails add constraint mails_kind check (kind in ('receipt', 'payment_failed', 'refunded', 'admin_payment_failed',
    'quarantined', 'break', 'confirm_email', 'reset_password', 'email_changed', 'password_changed', 'second_factor_on',
    'second_factor_off', 'recovery_code_used', 'codes_guessed', 'request_approved', 'request_rejected', 'credits_granted',
    'credits_taken', 'debt_forgiven')) not valid;
