-- Looking at somebody's pages ends with the session that does it, whoever ends that one: the audit says so.
create function note_viewing_ended() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform audit_record('person', old.person_id, null, encode(substring(old.id_hash from 1 for 4), 'hex'), null, null,
        'viewing_ended', 'person', old.viewing_id::text, '{}', 'The session is over.');
    return null;
end $$;
revoke execute on function note_viewing_ended from public;

create trigger sessions_end_viewing after delete on sessions
    for each row when (old.viewing_id is not null and old.person_id is not null) execute function note_viewing_ended();
