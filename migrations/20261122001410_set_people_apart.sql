-- What an admin sets for one person: their own payment path, and how much they may buy.
alter table user_profiles
    add column payment_path text,
    add column daily_credits_max bigint;
alter table user_profiles add constraint user_profiles_payment_path check (payment_path in ('whop', 'manual')) not valid;
alter table user_profiles
    add constraint user_profiles_daily_credits_max check (daily_credits_max between 1 and 1000000000000) not valid;
comment on column user_profiles.payment_path is 'Whose checkout they get, whatever holds for others; null: as for everybody.';
comment on column user_profiles.daily_credits_max is 'At most so many credits in orders of any 24 hours; null: no limit.';

grant update (payment_path, daily_credits_max) on user_profiles to atlas_app;
