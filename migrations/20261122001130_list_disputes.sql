-- The disputes that are decided, the latest first. Those that are open have disputes_open.
create index disputes_decided on disputes (changed_at desc) where state not in ('inquiry', 'open');
