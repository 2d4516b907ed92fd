-- When the person behind a session last showed that it is them. What can do lasting harm asks that this was a moment ago.
alter table sessions add column confirmed_at timestamptz;
comment on column sessions.confirmed_at is
    'By the clock of the database: at signing in, and whenever the password was asked for again. Null: not in this session.';
