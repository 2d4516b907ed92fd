-- The rows that were there before: validated apart, so that nobody waits for it.
alter table user_profiles validate constraint user_profiles_payment_path;
alter table user_profiles validate constraint user_profiles_daily_credits_max;

-- Those with a path of their own, to be listed.
create index user_profiles_own_path on user_profiles (id) where payment_path is not null;
