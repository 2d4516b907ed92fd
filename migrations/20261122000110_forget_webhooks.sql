-- What came in webhooks names people: kept 13 months, then only that it came, and its hash, so that it is known again.
create function forget_event_bodies(p_limit integer) returns bigint
language sql security definer set search_path = public, pg_temp as $$
    with due as (
        select id from provider_events
        where received_at < now() - interval '13 months' and body <> ''
        order by received_at limit p_limit for update skip locked
    ), forgotten as (
        update provider_events event set body = '' from due where event.id = due.id returning 1
    )
    select count(*) from forgotten;
$$;
create index provider_events_bodies on provider_events (received_at) where body <> '';

revoke execute on function forget_event_bodies from public;
grant execute on function forget_event_bodies to atlas_app;
