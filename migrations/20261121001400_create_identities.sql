-- Accounts elsewhere that people sign in with, and what was granted to us there for each session.

create table identities (
    id uuid primary key,
    person_id uuid not null references user_profiles (id) on delete cascade,
    issuer text not null,
    subject text not null,
    label text not null default '',
    linked_at timestamptz not null,
    constraint identities_once unique (issuer, subject),
    constraint identities_one_each unique (person_id, issuer),
    constraint identities_issuer check (length(issuer) between 1 and 200),
    constraint identities_subject check (length(subject) between 1 and 200),
    constraint identities_label check (length(label) <= 80)
);
comment on table identities is 'Somebody is known again by issuer and subject, never by an email address.';
comment on column identities.label is 'What they are called there; for their own eyes.';
grant select, insert, delete on identities to atlas_app;
grant update (label) on identities to atlas_app;

-- Columns named sealed_… hold what the vault sealed; `atlas vault rotate` knows each of them.
create table identity_grants (
    id uuid primary key,
    identity_id uuid references identities (id) on delete set null,
    sealed_access bytea not null,
    sealed_refresh bytea,
    access_ends_at timestamptz not null,
    granted_at timestamptz not null,
    orphaned_at timestamptz,
    lease uuid,
    leased_until timestamptz,
    ended_at timestamptz,
    ended_why text,
    constraint identity_grants_access check (octet_length(sealed_access) between 40 and 16384),
    constraint identity_grants_refresh check (octet_length(sealed_refresh) between 40 and 16384),
    constraint identity_grants_lease check ((lease is null) = (leased_until is null)),
    constraint identity_grants_ended check ((ended_at is null) = (ended_why is null)),
    constraint identity_grants_ended_why check (ended_why in ('signed_out', 'unlinked', 'refused', 'unreadable', 'orphaned'))
);
comment on table identity_grants is 'The tokens of one session that was begun elsewhere. A grant that has ended takes its session with it.';
comment on column identity_grants.orphaned_at is 'Since when no session has it. One that stays so is given back.';
comment on column identity_grants.lease is 'Whoever is refreshing or revoking it just now. Others wait, or take over when the time is up.';
comment on column identity_grants.ended_why is 'refused: taken back there; unreadable: the vault could not open it; orphaned: its session is gone.';
create index identity_grants_identity on identity_grants (identity_id);
create index identity_grants_due on identity_grants (access_ends_at) where ended_at is null;
create index identity_grants_to_revoke on identity_grants (ended_at) where ended_at is not null;
grant select, insert, update, delete on identity_grants to atlas_app;
