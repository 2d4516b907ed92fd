-- What people need to find their way among their own sessions, and what it takes to end one by the role that a person has now.
alter table sessions add column public_id uuid not null default gen_random_uuid();
alter table sessions add column seen_at timestamptz not null default now();
comment on column sessions.public_id is 'Names the session on a page. It opens nothing.';
comment on column sessions.seen_at is 'When it was last used, within a few minutes.';
