-- What makes a batch dear besides its rows. A table that was small when the planner last looked at it is worth reading from end
-- to end, it believes, and a new installation's tables grow a thousandfold before it looks again: so nothing of a table is
-- kept in memory to be searched, neither materialised nor hashed. (An EXISTS may be hashed, a scalar subquery never is.)

alter function credits_spend_batch set enable_material = off;
alter function credits_reserve_batch set enable_material = off;
alter function credits_end_holds set enable_material = off;
alter function credits_transfer_batch set enable_material = off;

-- A lot says what its transaction says: the wallet, the order, the payment. That one is checked against them, and none of them
-- is ever deleted; the audit compares the two.
alter table credit_lots drop constraint credit_lots_account_id_fkey;
alter table credit_lots drop constraint credit_lots_order_id_fkey;
alter table credit_lots drop constraint credit_lots_provider_payment_id_fkey;

-- A payment's buyer is its order's; so is that one checked already, and the audit compares them.
alter table payments drop constraint payments_buyer_id_fkey;

-- Bodies are packed by the quicker method where the server was built with it.
do $$ begin
    alter table provider_events alter column body set compression lz4;
exception when feature_not_supported then
    raise notice 'this server packs the bodies of events with pglz';
end $$;
