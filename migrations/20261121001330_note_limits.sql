-- That a limit was hit is written into the audit once in a while for each bucket, not at each try: whoever floods must not
-- fill it.
alter table rate_limits add column noted_at timestamptz;
comment on column rate_limits.noted_at is 'When the audit was last told that the limit refused somebody.';
