-- The job queue of the graphile_worker crate (0.14, MIT): the end state of its own migrations 1 to 22, so that the whole
-- schema has one history, one owner and one test. The crate looks at graphile_worker.migrations and finds nothing to
-- do; the program may therefore work it without the right to make tables. Rights stand in place of the crate's row
-- security.

create schema graphile_worker;

create type graphile_worker.job_spec as (
    identifier text,
    payload json,
    queue_name text,
    run_at timestamptz,
    max_attempts smallint,
    job_key text,
    priority smallint,
    flags text[]
);

create table graphile_worker._private_jobs (
    id bigint not null,
    job_queue_id integer,
    task_id integer not null,
    payload json default '{}' not null,
    priority smallint default 0 not null,
    run_at timestamptz default now() not null,
    attempts smallint default 0 not null,
    max_attempts smallint default 25 not null,
    last_error text,
    created_at timestamptz default now() not null,
    updated_at timestamptz default now() not null,
    key text,
    locked_at timestamptz,
    locked_by text,
    revision integer default 0 not null,
    flags jsonb,
    is_available boolean generated always as (locked_at is null and attempts < max_attempts) stored not null,
    constraint jobs_key_check check (((length(key) > 0) and (length(key) <= 512))),
    constraint jobs_max_attempts_check check ((max_attempts >= 1))
);

create table graphile_worker._private_job_queues (
    id integer not null,
    queue_name text not null,
    locked_at timestamptz,
    locked_by text,
    is_available boolean generated always as ((locked_at is null)) stored not null,
    constraint job_queues_queue_name_check check ((length(queue_name) <= 128))
);

create table graphile_worker._private_job_retirements (
    id bigint not null
);

create table graphile_worker._private_known_crontabs (
    identifier text not null,
    known_since timestamptz not null,
    last_execution timestamptz
);

create table graphile_worker._private_tasks (
    id integer not null,
    identifier text not null,
    constraint tasks_identifier_check check ((length(identifier) <= 128))
);

create table graphile_worker._private_workers (
    id text not null,
    last_heartbeat_at timestamptz not null,
    started_at timestamptz default now() not null,
    metadata jsonb
);

alter table graphile_worker._private_job_queues alter column id add generated always as identity;

create view graphile_worker.jobs as
 select jobs.id,
    job_queues.queue_name,
    tasks.identifier as task_identifier,
    jobs.priority,
    jobs.run_at,
    jobs.attempts,
    jobs.max_attempts,
    jobs.last_error,
    jobs.created_at,
    jobs.updated_at,
    jobs.key,
    jobs.locked_at,
    jobs.locked_by,
    jobs.revision,
    jobs.flags
   from ((graphile_worker._private_jobs jobs
     join graphile_worker._private_tasks tasks on ((tasks.id = jobs.task_id)))
     left join graphile_worker._private_job_queues job_queues on ((job_queues.id = jobs.job_queue_id)));

alter table graphile_worker._private_jobs alter column id add generated always as identity;

create table graphile_worker.migrations (
    id integer not null,
    ts timestamptz default now() not null,
    breaking boolean default false not null
);

alter table graphile_worker._private_tasks alter column id add generated always as identity;
alter table graphile_worker._private_job_retirements add constraint _private_job_retirements_pkey primary key (id);
alter table graphile_worker._private_workers add constraint _private_workers_pkey primary key (id);
alter table graphile_worker._private_job_queues add constraint job_queues_pkey1 primary key (id);
alter table graphile_worker._private_job_queues add constraint job_queues_queue_name_key unique (queue_name);
alter table graphile_worker._private_jobs add constraint jobs_key_key1 unique (key);
alter table graphile_worker._private_jobs add constraint jobs_pkey1 primary key (id);
alter table graphile_worker._private_known_crontabs add constraint known_crontabs_pkey primary key (identifier);
alter table graphile_worker.migrations add constraint migrations_pkey primary key (id);
alter table graphile_worker._private_tasks add constraint tasks_identifier_key unique (identifier);
alter table graphile_worker._private_tasks add constraint tasks_pkey primary key (id);
create index _private_workers_last_heartbeat_at_idx on graphile_worker._private_workers (last_heartbeat_at);
create index jobs_main_index on graphile_worker._private_jobs (priority, run_at) include (id, task_id, job_queue_id) where (is_available = true);
create index jobs_no_queue_index on graphile_worker._private_jobs (priority, run_at) include (id, task_id) where ((is_available = true) and (job_queue_id is null));
alter table graphile_worker._private_job_retirements add constraint _private_job_retirements_id_fkey foreign key (id) references graphile_worker._private_jobs(id) on delete cascade;

insert into graphile_worker.migrations (id, breaking)
select id, id in (1, 3, 11, 13, 14, 16) from generate_series(1, 22) as id;
