-- How often somebody may try. Kept here, so that a limit holds for all processes together and outlives a restart.

-- A bucket is one number: until when what was taken from it is spoken for. It is full again at that moment.
create table rate_limits (
    bucket bytea primary key,
    spoken_until timestamptz not null,
    constraint rate_limits_bucket check (length(bucket) = 32)
);
comment on column rate_limits.bucket is 'SHA-256 of what is limited and for whom: no address and no email stands here in clear.';
create index rate_limits_full on rate_limits (spoken_until);
grant select, insert, update, delete on rate_limits to atlas_app;

-- Browsers that somebody signed in from. Who guesses passwords from elsewhere can't lock their owner out there.
create table known_devices (
    token_hash bytea not null,
    person_id uuid not null references user_profiles (id) on delete cascade,
    seen_at timestamptz not null,
    primary key (token_hash, person_id),
    constraint known_devices_token check (length(token_hash) = 32)
);
comment on column known_devices.token_hash is 'SHA-256 of a random token in a cookie of its own. It opens nothing.';
create index known_devices_person on known_devices (person_id);
create index known_devices_seen on known_devices (seen_at);
grant select, insert, update, delete on known_devices to atlas_app;
