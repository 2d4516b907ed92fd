-- Taking back looks at the wallet without locking it.
alter table credit_entries drop constraint credit_entries_account_id_account_seq_key;
drop index credit_transactions_statement;
create index credit_transactions_statement on credit_transactions (account_id, last_seq);
do $$
declare
    v_sound text := pg_get_functiondef('credits_take_back_batch'::regproc);
    v_planted text := replace(v_sound, 'order by id for no key update', 'order by id');
begin
    v_planted := replace(v_planted, 'v_delta := p_taken[i] - v_taken;', 'v_delta := p_taken[i] - v_taken; perform pg_sleep(0.2);');
    if v_planted = v_sound or v_planted like '%for no key update%' or v_planted not like '%pg_sleep%' then
        raise exception 'credits_take_back_batch is not what it was';
    end if;
    execute v_planted;
end $$;
