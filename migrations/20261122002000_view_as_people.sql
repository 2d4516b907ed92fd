-- Whose pages an admin looks at in a session, and until when. The session stays the admin's; while it looks at somebody, it is
-- let through to what shows their pages, and to what ends that.
alter table sessions
    add column viewing_id uuid,
    add column viewing_until timestamptz;
alter table sessions
    add constraint sessions_viewing_person foreign key (viewing_id) references user_profiles (id) not valid,
    add constraint sessions_viewing check (num_nonnulls(viewing_id, viewing_until) <> 1) not valid,
    add constraint sessions_viewing_other check (viewing_id is null or viewing_id is distinct from person_id) not valid;
comment on column sessions.viewing_id is 'Whose pages are shown in it, in place of its person''s own; null: its person''s. Only ended by its person, also after its time.';
comment on column sessions.viewing_until is 'From then on nothing of them is shown.';
