-- An address is somebody's once they have shown that they read what is sent there. Until then it is only claimed, and anybody
-- may claim anything: so nobody learns from a claim whose address it is, and nobody is kept from their own by it.
alter table user_profiles alter column email drop not null;
alter table user_profiles add column claimed_email text;
alter table user_profiles add constraint user_profiles_claim_form
    check (claimed_email = lower(claimed_email) and length(claimed_email) between 3 and 254);
comment on column user_profiles.email is
    'Lower case. Theirs, as they have shown; the key for signing in by password. Null: not shown yet.';
comment on column user_profiles.claimed_email is
    'What they say is their address, now or next: it becomes email when a link that was sent there is used.';
create index user_profiles_claimed_email on user_profiles (claimed_email) where claimed_email is not null;
grant update (claimed_email) on user_profiles to atlas_app;

-- Mails about people's own accounts. Who asks for a link types an address, and whether anybody has it is looked up only when
-- the mail is written: asking does the same work for everybody.
alter table mails add column person_id uuid references user_profiles (id) on delete cascade;
alter table mails add column address text;
comment on column mails.person_id is 'Whose account it is about, where that was known when it was announced.';
comment on column mails.address is 'Where it goes, where that is not looked up when it is written. Forgotten once it is sent or moot.';
alter table mails drop constraint mails_kind;
alter table mails add constraint mails_kind check (kind in ('receipt', 'payment_failed', 'refunded', 'admin_payment_failed',
    'quarantined', 'break', 'confirm_email', 'reset_password', 'email_changed', 'password_changed', 'second_factor_on',
    'second_factor_off', 'recovery_code_used', 'codes_guessed'));
alter table mails drop constraint mails_order;
alter table mails add constraint mails_order check (order_id is not null or kind not in ('receipt', 'payment_failed', 'refunded',
    'admin_payment_failed'));
grant update (address) on mails to atlas_app;

-- Links that went out by mail.
create table mail_links (
    mail_id bigint primary key references mails (id) on delete cascade,
    token_hash bytea not null unique,
    purpose text not null,
    person_id uuid not null references user_profiles (id) on delete cascade,
    address text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    constraint mail_links_token check (length(token_hash) = 32),
    constraint mail_links_purpose check (purpose in ('confirm_email', 'reset_password', 'keep_email'))
);
comment on column mail_links.token_hash is 'SHA-256 of 256 random bits that stand in the mail and nowhere else.';
comment on column mail_links.address is 'Where the mail went: who uses the link reads what is sent there.';
comment on column mail_links.used_at is 'A link works once.';
create index mail_links_person on mail_links (person_id);
create index mail_links_expiry on mail_links (expires_at);
grant select, insert, delete on mail_links to atlas_app;
grant update (token_hash, created_at, expires_at, used_at) on mail_links to atlas_app;
