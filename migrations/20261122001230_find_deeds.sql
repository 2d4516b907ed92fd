-- The entries of one deed, for the audit's page.
create index audit_entries_deed on audit_entries (deed, number);
