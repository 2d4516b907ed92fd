-- The rows that were there before: validated apart, so that nobody waits for it.
alter table sessions validate constraint sessions_viewing_person;
alter table sessions validate constraint sessions_viewing;
alter table sessions validate constraint sessions_viewing_other;
