-- A mail that a worker has taken up looks as if nobody had: with neither a lock nor a lease, every worker takes it.
create function planted_no_lease() returns trigger language plpgsql as $$
begin
    if new.tries > old.tries then
        new.due_at := old.due_at;
    end if;
    return new;
end $$;
create trigger planted_no_lease before update on mails for each row execute function planted_no_lease();
