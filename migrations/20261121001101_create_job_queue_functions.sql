-- The functions of the graphile_worker crate (0.14, MIT), as its own migrations 1 to 22 leave them.

create function graphile_worker._private_return_jobs(worker_id text, job_ids bigint[], recovery_delay_ms bigint
    default null, recovery_error text default null, update_recovery_metadata boolean default false)
returns void language plpgsql as $$
begin
    perform 1 from graphile_worker._private_jobs as jobs
    where jobs.id = any(job_ids) and jobs.locked_by = worker_id
    order by jobs.id
    for update;
    with returned as (
        update graphile_worker._private_jobs as jobs
        set
            attempts = case when exists (
                select 1 from graphile_worker._private_job_retirements as retired
                where retired.id = jobs.id
            ) then jobs.attempts else greatest(0, jobs.attempts - 1) end,
            locked_by = null,
            locked_at = null,
            run_at = case when update_recovery_metadata and recovery_delay_ms is not null
                then greatest(jobs.run_at, now() + recovery_delay_ms * interval '1 millisecond')
                else jobs.run_at end,
            last_error = case when update_recovery_metadata
                then coalesce(recovery_error, jobs.last_error) else jobs.last_error end,
            updated_at = case when update_recovery_metadata then now() else jobs.updated_at end
        where jobs.id = any(job_ids) and jobs.locked_by = worker_id
        returning jobs.job_queue_id
    )
    update graphile_worker._private_job_queues as queues
    set locked_by = null, locked_at = null
    from returned
    where queues.id = returned.job_queue_id and queues.locked_by = worker_id;
end;
$$;

create function graphile_worker.add_job(identifier text, payload json default null, queue_name text default null,
    run_at timestamptz default null, max_attempts integer default null, job_key text default null, priority integer
    default null, flags text[] default null, job_key_mode text default 'replace')
returns graphile_worker._private_jobs language plpgsql as $$
declare
    v_job graphile_worker._private_jobs;
begin
    if (job_key is null or job_key_mode is null or job_key_mode in ('replace', 'preserve_run_at')) then
        select * into v_job
        from graphile_worker.add_jobs(
            array[(
                identifier,
                payload,
                queue_name,
                run_at,
                max_attempts::smallint,
                job_key,
                priority::smallint,
                flags
            )::graphile_worker.job_spec],
            (job_key_mode = 'preserve_run_at')
        )
        limit 1;
        if v_job.id is null then
            raise exception 'Unable to schedule job for key "%"', coalesce(job_key, '<null>') using errcode = 'GWNOR';
        end if;
        return v_job;
    elsif job_key_mode = 'unsafe_dedupe' then
        insert into graphile_worker._private_tasks as tasks (identifier)
        select add_job.identifier
        where not exists (
            select 1 from graphile_worker._private_tasks as existing
            where existing.identifier = add_job.identifier
        )
        on conflict do nothing;
        if queue_name is not null then
            insert into graphile_worker._private_job_queues as job_queues (queue_name)
            select add_job.queue_name
            where not exists (
                select 1 from graphile_worker._private_job_queues as existing
                where existing.queue_name = add_job.queue_name
            )
            on conflict do nothing;
        end if;
        insert into graphile_worker._private_jobs as jobs (
            job_queue_id,
            task_id,
            payload,
            run_at,
            max_attempts,
            key,
            priority,
            flags
        )
        select
            job_queues.id,
            tasks.id,
            coalesce(payload, '{}'::json),
            coalesce(run_at, now()),
            coalesce(max_attempts::smallint, 25::smallint),
            job_key,
            coalesce(priority::smallint, 0::smallint),
            (
                select jsonb_object_agg(flag, true)
                from unnest(flags) as item(flag)
            )
        from graphile_worker._private_tasks as tasks
        left join graphile_worker._private_job_queues as job_queues
        on job_queues.queue_name = add_job.queue_name
        where tasks.identifier = add_job.identifier
        on conflict (key)
        do update set
            revision = jobs.revision + 1,
            updated_at = now()
        returning *
        into v_job;
        if v_job.revision = 0 then
            perform pg_notify('jobs:insert', '{"r":' || random()::text || ',"count":1}');
        end if;
        return v_job;
    else
        raise exception 'Invalid job_key_mode value, expected ''replace'', ''preserve_run_at'' or ''unsafe_dedupe''.' using errcode = 'GWBKM';
    end if;
end;
$$;

create function graphile_worker.add_jobs(specs graphile_worker.job_spec[], job_key_preserve_run_at boolean default
    false)
returns setof graphile_worker._private_jobs language plpgsql as $$
declare
    locked_key text;
begin
    for locked_key in
        select distinct spec.job_key
        from unnest(specs) spec
        where spec.job_key is not null
        order by spec.job_key
    loop
        perform pg_advisory_xact_lock(hashtext(locked_key));
    end loop;
    perform 1
    from graphile_worker._private_jobs as jobs
    where jobs.key = any(
        array(
            select distinct spec.job_key
            from unnest(specs) spec
            where spec.job_key is not null
        )
    )
    for update;
    insert into graphile_worker._private_tasks as tasks (identifier)
    select distinct spec.identifier
    from unnest(specs) spec
    where not exists (
        select 1 from graphile_worker._private_tasks as existing
        where existing.identifier = spec.identifier
    )
    on conflict do nothing;
    insert into graphile_worker._private_job_queues as job_queues (queue_name)
    select distinct spec.queue_name
    from unnest(specs) spec
    where spec.queue_name is not null
    and not exists (
        select 1 from graphile_worker._private_job_queues as existing
        where existing.queue_name = spec.queue_name
    )
    on conflict do nothing;
    with retired as (
        update graphile_worker._private_jobs as jobs
        set
            key = null,
            attempts = jobs.max_attempts,
            updated_at = now()
        from unnest(specs) spec
        where spec.job_key is not null
        and jobs.key = spec.job_key
        and is_available is not true
        returning jobs.id
    )
    insert into graphile_worker._private_job_retirements(id)
    select id from retired
    on conflict do nothing;
    perform pg_notify('jobs:insert', '{"r":' || random()::text || ',"count":' || array_length(specs, 1)::text || '}');
    return query insert into graphile_worker._private_jobs as jobs (
        job_queue_id,
        task_id,
        payload,
        run_at,
        max_attempts,
        key,
        priority,
        flags
    )
        select
            job_queues.id,
            tasks.id,
            coalesce(spec.payload, '{}'::json),
            coalesce(spec.run_at, now()),
            coalesce(spec.max_attempts, 25),
            spec.job_key,
            coalesce(spec.priority, 0),
            (
                select jsonb_object_agg(flag, true)
                from unnest(spec.flags) as item(flag)
            )
        from unnest(specs) spec
        inner join graphile_worker._private_tasks as tasks
        on tasks.identifier = spec.identifier
        left join graphile_worker._private_job_queues as job_queues
        on job_queues.queue_name = spec.queue_name
    on conflict (key) do update set
        job_queue_id = excluded.job_queue_id,
        task_id = excluded.task_id,
        payload =
            case
            when json_typeof(jobs.payload) = 'array' and json_typeof(excluded.payload) = 'array' then
                (jobs.payload::jsonb || excluded.payload::jsonb)::json
            else
                excluded.payload
            end,
        max_attempts = excluded.max_attempts,
        run_at = (case
            when job_key_preserve_run_at is true and jobs.attempts = 0 then jobs.run_at
            else excluded.run_at
        end),
        priority = excluded.priority,
        revision = jobs.revision + 1,
        flags = excluded.flags,
        attempts = 0,
        last_error = null,
        updated_at = now()
    where jobs.locked_at is null
    returning *;
end;
$$;

create function graphile_worker.complete_jobs(job_ids bigint[])
returns setof graphile_worker._private_jobs language sql as $$
    delete from graphile_worker._private_jobs as jobs
        where id = any(job_ids)
        and (
            locked_at is null
        or
            locked_at < now() - interval '4 hours'
        )
        returning *;
$$;

create function graphile_worker.delete_stale_workers(worker_ids text[])
returns void language sql as $$
    delete from graphile_worker._private_workers as workers
    where workers.id = any(worker_ids);
$$;

create function graphile_worker.force_unlock_workers(worker_ids text[])
returns void language sql as $$
        update graphile_worker._private_jobs as jobs
        set locked_at = null, locked_by = null
        where locked_by = any(worker_ids);
        update graphile_worker._private_job_queues as job_queues
        set locked_at = null, locked_by = null
        where locked_by = any(worker_ids);
$$;

create function graphile_worker.list_orphan_locked_workers(stale_threshold interval)
returns table(worker_id text) language sql as $$
    select distinct locks.locked_by as worker_id
    from (
        select jobs.locked_by, jobs.locked_at
        from graphile_worker._private_jobs as jobs
        where jobs.locked_by is not null
        union all
        select job_queues.locked_by, job_queues.locked_at
        from graphile_worker._private_job_queues as job_queues
        where job_queues.locked_by is not null
    ) as locks
    where locks.locked_at < now() - stale_threshold
    and not exists (
        select 1
        from graphile_worker._private_workers as workers
        where workers.id = locks.locked_by
    );
$$;

create function graphile_worker.list_stale_workers(stale_threshold interval)
returns table(worker_id text) language sql as $$
    select workers.id as worker_id
    from graphile_worker._private_workers as workers
    where workers.last_heartbeat_at < now() - stale_threshold;
$$;

create function graphile_worker.permanently_fail_jobs(job_ids bigint[], error_message text default null)
returns setof graphile_worker._private_jobs language sql as $$
    with retired as (
    update graphile_worker._private_jobs as jobs
    set
        last_error = coalesce(error_message, 'Manually marked as failed'),
        attempts = max_attempts,
        updated_at = now()
    where id = any(job_ids)
    and (
        locked_at is null
    or
        locked_at < now() - interval '4 hours'
    )
    returning *
    ), marked as (
        insert into graphile_worker._private_job_retirements(id)
        select id from retired
        on conflict do nothing
    )
    select * from retired;
$$;

create function graphile_worker.recover_dead_worker_jobs(worker_ids text[], recovery_delay interval default '00:00:00')
returns integer language plpgsql as $$
declare
    recovered_count integer := 0;
begin
    -- Take row locks before the statement that reads retirement markers.
    perform 1 from graphile_worker._private_jobs as jobs
    where jobs.locked_by = any(worker_ids)
    order by jobs.id
    for update;
    with j as (
        update graphile_worker._private_jobs as jobs
        set
            attempts = case when exists (
                select 1 from graphile_worker._private_job_retirements as retired
                where retired.id = jobs.id
            ) then jobs.attempts
                else greatest(0, jobs.attempts - 1) end,
            locked_by = null,
            locked_at = null,
            run_at = greatest(jobs.run_at, now() + recovery_delay),
            last_error = 'Job recovered after worker interruption',
            updated_at = now()
        where jobs.locked_by = any(worker_ids)
        returning jobs.job_queue_id
    )
    select count(*) into recovered_count from j;
    update graphile_worker._private_job_queues as job_queues
    set locked_by = null, locked_at = null
    where job_queues.locked_by = any(worker_ids);
    return recovered_count;
end;
$$;

create function graphile_worker.remove_job(job_key text)
returns graphile_worker._private_jobs language plpgsql strict as $$
declare
    v_job graphile_worker._private_jobs;
begin
    -- Delete job if not locked
    delete from graphile_worker._private_jobs as jobs
    where key = job_key
    and (
        locked_at is null
    or
        locked_at < now() - interval '4 hours'
    )
    returning * into v_job;
    if not (v_job is null) then
        return v_job;
    end if;
    -- Otherwise prevent job from retrying, and clear the key
    update graphile_worker._private_jobs as jobs
    set
        key = null,
        attempts = jobs.max_attempts,
        updated_at = now()
    where key = job_key
    returning * into v_job;
    if v_job.id is not null then
        insert into graphile_worker._private_job_retirements(id)
        values (v_job.id) on conflict do nothing;
    end if;
    return v_job;
end;
$$;

create function graphile_worker.reschedule_jobs(job_ids bigint[], run_at timestamptz default null, priority integer
    default null, attempts integer default null, max_attempts integer default null)
returns setof graphile_worker._private_jobs language plpgsql as $$
begin
    -- Explicit revival must see and clear a concurrently committed retirement.
    perform 1 from graphile_worker._private_jobs as jobs
    where jobs.id = any(job_ids)
    and (jobs.locked_at is null or jobs.locked_at < now() - interval '4 hours')
    order by jobs.id
    for update;
    return query with updated as (
    update graphile_worker._private_jobs as jobs
    set
        run_at = coalesce(reschedule_jobs.run_at, jobs.run_at),
        priority = coalesce(reschedule_jobs.priority::smallint, jobs.priority),
        attempts = coalesce(reschedule_jobs.attempts::smallint, jobs.attempts),
        max_attempts = coalesce(reschedule_jobs.max_attempts::smallint, jobs.max_attempts),
        updated_at = now()
    where id = any(job_ids)
    and (
        locked_at is null
    or
        locked_at < now() - interval '4 hours'
    )
    returning *
    ), cleared as (
        delete from graphile_worker._private_job_retirements as retired
        using updated
        where retired.id = updated.id
    )
    select * from updated;
end;
$$;

create function graphile_worker.worker_deregister(worker_id text)
returns void language sql as $$
    delete from graphile_worker._private_workers
    where id = worker_deregister.worker_id;
$$;

create function graphile_worker.worker_heartbeat(worker_id text, metadata json default null)
returns void language sql as $$
    insert into graphile_worker._private_workers as workers (id, last_heartbeat_at, metadata)
    values (worker_heartbeat.worker_id, now(), metadata::jsonb)
    on conflict (id) do update
    set
        last_heartbeat_at = now(),
        metadata = coalesce(excluded.metadata, workers.metadata);
$$;

grant usage on schema graphile_worker to atlas_app;
grant select on graphile_worker.migrations, graphile_worker.jobs to atlas_app;
grant select, insert, update, delete on graphile_worker._private_jobs, graphile_worker._private_job_queues,
    graphile_worker._private_job_retirements, graphile_worker._private_known_crontabs, graphile_worker._private_tasks,
    graphile_worker._private_workers to atlas_app;
revoke execute on all functions in schema graphile_worker from public;
grant execute on all functions in schema graphile_worker to atlas_app;
