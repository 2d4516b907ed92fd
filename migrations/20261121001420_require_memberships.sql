-- Memberships at the provider, as it last spoke of them. An operator may ask that buyers hold one.

create table memberships (
    provider text not null,
    id text not null,
    subject text,
    product_id text,
    plan_id text,
    status text not null,
    gives_access boolean not null,
    said_at timestamptz not null,
    person_id uuid references user_profiles (id) on delete set null,
    primary key (provider, id),
    constraint memberships_id check (length(id) between 1 and 255),
    constraint memberships_status check (length(status) between 1 and 100)
);
comment on column memberships.subject is 'Who holds it there: the subject of an identity.';
comment on column memberships.status is 'In the provider''s words.';
comment on column memberships.gives_access is 'Whether its holder may use what they bought.';
comment on column memberships.said_at is 'When the provider said so. What it said before that changes nothing any more.';
comment on column memberships.person_id is 'Who entered its licence key; once, and from then on nobody else holds it.';
create index memberships_subject on memberships (provider, subject) where subject is not null;
create index memberships_person on memberships (person_id) where person_id is not null;
grant select, insert on memberships to atlas_app;
grant update (subject, product_id, plan_id, status, gives_access, said_at, person_id) on memberships to atlas_app;

create table membership_asks (
    person_id uuid primary key references user_profiles (id) on delete cascade,
    asked_at timestamptz,
    lease uuid,
    leased_until timestamptz,
    constraint membership_asks_lease check ((lease is null) = (leased_until is null))
);
comment on column membership_asks.asked_at is 'When the provider last answered about all of this person''s memberships.';
comment on column membership_asks.lease is 'Whoever is asking just now; others wait for the answer.';
grant select, insert, update, delete on membership_asks to atlas_app;
