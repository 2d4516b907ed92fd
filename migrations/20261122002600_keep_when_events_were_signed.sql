-- So that whoever looks at a message sees how late it came.
alter table provider_events add column signed_at timestamptz;
comment on column provider_events.signed_at is 'The time that the sender signed with it, of the delivery that is kept; null: it came before this was kept.';
grant select (signed_at) on provider_events to atlas_reader;
