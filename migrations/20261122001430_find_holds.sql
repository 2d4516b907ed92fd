-- What is held in one wallet, for those who look after its owner.
create index credit_holds_open on credit_holds (account_id, created_at) where state = 'open';
