-- By which path people order: what holds for everybody until somebody is set apart.
alter table settings drop constraint settings_name;
alter table settings add constraint settings_name check (name in ('payments_stopped', 'payment_path', 'rollout')) not valid;
alter table settings validate constraint settings_name;
comment on column settings.value is 'payments_stopped: {"message": what buyers read}. No row: payments go on. payment_path: {"provider":
    who takes the money, whop or manual}. No row: as the environment says. rollout: {"percent": how many of all people are on Whop}.
    No row: payment_path holds for all.';
