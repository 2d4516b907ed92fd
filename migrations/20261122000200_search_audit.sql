-- Which entries of the audit are about somebody, in one place.
create function audit_concerns(p_entry audit_entries, p_person uuid, p_address text) returns boolean
language sql stable as $$
    select p_person is null and p_address is null
        or p_entry.actor_id = p_person
        or p_entry.about = 'person' and p_entry.about_id = p_person::text
        or p_entry.about = 'address' and p_entry.about_id = audit_pseudonym(p_address)
$$;
revoke execute on function audit_concerns from public;
grant execute on function audit_concerns to atlas_app;
