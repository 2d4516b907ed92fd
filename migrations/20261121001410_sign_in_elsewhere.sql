-- Signing in by way of an authorisation server: what is under way, and which session was begun with which grant.

create table oauth_attempts (
    handle_hash bytea primary key,
    purpose text not null,
    person_id uuid references user_profiles (id) on delete cascade,
    session_hash bytea,
    return_to text not null,
    expires_at timestamptz not null,
    constraint oauth_attempts_handle check (octet_length(handle_hash) = 32),
    constraint oauth_attempts_purpose check (purpose in ('sign_in', 'link', 'confirm')),
    constraint oauth_attempts_whose check ((purpose = 'sign_in') = (person_id is null)),
    constraint oauth_attempts_session check ((session_hash is null) = (person_id is null) and octet_length(session_hash) = 32),
    constraint oauth_attempts_return_to check (length(return_to) between 1 and 2000)
);
comment on table oauth_attempts is
    'Each is for one browser, for ten minutes, once. State, nonce and code verifier follow from the handle, which only the browser has.';
comment on column oauth_attempts.handle_hash is 'SHA-256 of the random handle in the browser''s cookie.';
comment on column oauth_attempts.session_hash is 'The session that began it; it has to be the one that ends it.';
create index oauth_attempts_expiry on oauth_attempts (expires_at);
grant select, insert, delete on oauth_attempts to atlas_app;

-- A session that was begun elsewhere lives as long as its grant.
alter table sessions add column grant_id uuid references identity_grants (id) on delete cascade;
comment on column sessions.grant_id is 'What it was begun with elsewhere, copied from data. Null: it was begun here.';
create index sessions_grant on sessions (grant_id) where grant_id is not null;

comment on column user_profiles.password_hash is 'Argon2id in PHC form. Empty: they have none, and sign in elsewhere.';
