-- Whoever has many payments declined in a day may be trying out cards that are not theirs.
create index payments_declined on payments (buyer_id, changed_at) where state = 'failed';
