-- Who is here: people with an account, and their sessions. `user_profiles` keeps the name Atlas gave it.

create table user_profiles (
    id uuid primary key,
    email text not null,
    name text not null default '',
    password_hash text not null,
    role text not null default 'buyer',
    created_at timestamptz not null default now(),
    constraint user_profiles_email_form check (email = lower(email) and length(email) between 3 and 254),
    constraint user_profiles_name_form check (length(name) <= 80),
    constraint user_profiles_role check (role in ('buyer', 'support', 'finance', 'admin'))
);
comment on column user_profiles.email is 'Lower case. The key for signing in by password.';
comment on column user_profiles.password_hash is 'Argon2id in PHC form.';

create unique index user_profiles_email on user_profiles (email);

create table sessions (
    id_hash bytea primary key,
    person_id uuid references user_profiles (id) on delete cascade,
    data jsonb not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    constraint sessions_id_hash_form check (length(id_hash) = 32)
);
comment on column sessions.id_hash is 'SHA-256 of the id in the cookie: a copy of this table signs nobody in.';
comment on column sessions.person_id is 'Whose session it is, copied from data so that it can be listed and ended.';

create index sessions_person on sessions (person_id) where person_id is not null;
create index sessions_expiry on sessions (expires_at);
