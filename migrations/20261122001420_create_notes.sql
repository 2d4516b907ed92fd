-- What those who look after Atlas write down about a person or an order, for each other. It only grows.
create table notes (
    id bigint generated always as identity primary key,
    person_id uuid references user_profiles (id),
    order_id uuid references credit_orders (id),
    author_id uuid not null references user_profiles (id),
    text text not null,
    created_at timestamptz not null default clock_timestamp(),
    constraint notes_about_one check (num_nonnulls(person_id, order_id) = 1),
    constraint notes_text_length check (length(text) <= 2000)
);
comment on column notes.person_id is 'Whom it is about; or else an order.';
comment on column notes.text is 'Empty: forgotten, as the person whom it was about, or whose order, has left.';
create index notes_person on notes (person_id, id desc) where person_id is not null;
create index notes_order on notes (order_id, id desc) where order_id is not null;
grant select, insert on notes to atlas_app;

-- The application changes no note, but who leaves is forgotten in them too.
create function forget_notes(p_person uuid) returns void
language sql security definer set search_path = public, pg_temp as $$
    update notes set text = ''
    where text <> ''
        and (person_id = p_person or order_id in (select id from credit_orders where buyer_id = p_person));
$$;
revoke execute on function forget_notes from public;
grant execute on function forget_notes to atlas_app;
