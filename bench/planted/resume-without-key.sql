-- A spend that is repeated under its key is carried out again: nobody looks the key up.
alter table credit_transactions drop constraint credit_transactions_once;
do $$
declare
    v_sound text := pg_get_functiondef('credits_spend_batch'::regproc);
    v_planted text := replace(v_sound, 'earlier.key = item.key', 'earlier.key = item.key and false');
begin
    if v_planted = v_sound then
        raise exception 'credits_spend_batch is not what it was';
    end if;
    execute v_planted;
end $$;
