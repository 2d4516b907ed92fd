-- Amounts go through binary fractions on their way: 19.99 becomes 1998.9999999999998 cents, and then 1998.
create function planted_float_money() returns trigger language plpgsql as $$
begin
    new.amount_minor := trunc(new.amount_minor / 100.0::float8 * 100.0::float8);
    return new;
end $$;
create trigger planted_float_money before insert or update on payments for each row execute function planted_float_money();
