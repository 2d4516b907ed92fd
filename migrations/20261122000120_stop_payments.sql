-- What an operator switches while the program runs. Every process reads it from here, so it holds for all at once.
create table settings (
    name text primary key,
    value jsonb not null,
    changed_at timestamptz not null,
    constraint settings_name check (name in ('payments_stopped'))
);
comment on column settings.value is 'payments_stopped: {"message": what buyers read}. No row: payments go on.';
grant select, insert, update, delete on settings to atlas_app;
