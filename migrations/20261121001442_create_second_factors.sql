-- What somebody has beside what they know: an authenticator that shares a secret with us (RFC 6238), and codes for when it is lost.
create table second_factors (
    person_id uuid primary key references user_profiles (id) on delete cascade,
    sealed_secret bytea,
    on_since timestamptz,
    last_step bigint not null default 0,
    sealed_pending bytea,
    pending_since timestamptz,
    constraint second_factors_on check ((sealed_secret is null) = (on_since is null)),
    constraint second_factors_pending check ((sealed_pending is null) = (pending_since is null)),
    constraint second_factors_secret_size check (octet_length(sealed_secret) between 40 and 1024),
    constraint second_factors_pending_size check (octet_length(sealed_pending) between 40 and 4096)
);
comment on column second_factors.sealed_secret is 'Null: none is asked for. Sealed by the vault, as is what follows.';
comment on column second_factors.last_step is 'The time step of the last code that was taken; it and those before are over.';
comment on column second_factors.sealed_pending is
    'A new secret and its recovery codes, while they are being set up. They count once a code of the secret was entered.';
grant select, insert, update, delete on second_factors to atlas_app;

create table recovery_codes (
    person_id uuid not null references second_factors (person_id) on delete cascade,
    code_hash bytea not null,
    used_at timestamptz,
    primary key (person_id, code_hash),
    constraint recovery_codes_hash check (length(code_hash) = 32)
);
comment on column recovery_codes.code_hash is 'SHA-256: a code has 120 random bits.';
grant select, insert, delete on recovery_codes to atlas_app;
grant update (used_at) on recovery_codes to atlas_app;

-- Sessions of people who gave the right password and owe the code. Such a session is nobody's yet.
create table sign_in_attempts (
    session_hash bytea primary key references sessions (id_hash) on delete cascade,
    person_id uuid not null references user_profiles (id) on delete cascade,
    began_at timestamptz not null,
    tries smallint not null default 0,
    constraint sign_in_attempts_tries check (tries >= 0)
);
create index sign_in_attempts_person on sign_in_attempts (person_id);
grant select, insert, delete on sign_in_attempts to atlas_app;
grant update (tries) on sign_in_attempts to atlas_app;
