-- A key may also be made for reading: everybody's orders, and the plans. The check is widened in two steps, so that the rows
-- that are there are looked at without keeping anybody out.

alter table api_keys drop constraint api_keys_scopes;
alter table api_keys add constraint api_keys_scopes
    check (cardinality(scopes) > 0 and scopes <@ array['spend', 'read']) not valid;
