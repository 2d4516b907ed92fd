-- The code that lets somebody set up an Atlas that has no admin yet. One row: the newest code is the one that counts.
create table set_up_code (
    only_one boolean primary key default true,
    code_hash bytea not null,
    generation uuid not null,
    made_at timestamptz not null,
    expires_at timestamptz not null,
    constraint set_up_code_only check (only_one),
    constraint set_up_code_hash check (length(code_hash) = 32),
    constraint set_up_code_span check (expires_at > made_at)
);
comment on column set_up_code.only_one is 'True: there is at most one row.';
comment on column set_up_code.code_hash is 'SHA-256: a code has 120 random bits.';
comment on column set_up_code.generation is 'What a session holds that entered this code. A newer code ends it.';
comment on column set_up_code.expires_at is 'From then on neither the code nor a session that entered it is worth anything.';
grant select, insert, update, delete on set_up_code to atlas_app;
