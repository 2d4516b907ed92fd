-- A spend looks at the wallet, thinks, and writes: without locking it, and with nothing that numbers the entries.
alter table credit_entries drop constraint credit_entries_account_id_account_seq_key;
drop index credit_transactions_statement;
create index credit_transactions_statement on credit_transactions (account_id, last_seq);
do $$
declare
    v_sound text := pg_get_functiondef('credits_spend_batch'::regproc);
    v_planted text := replace(v_sound, 'order by id for no key update', 'order by id');
begin
    v_planted := replace(v_planted, 'v_at := clock_timestamp();', 'v_at := clock_timestamp(); perform pg_sleep(0.02);');
    if v_planted = v_sound or v_planted like '%for no key update%' or v_planted not like '%pg_sleep%' then
        raise exception 'credits_spend_batch is not what it was';
    end if;
    execute v_planted;
end $$;
