//! The credit ledger: its kernel, its rights, its audit, and what people read of it.

mod audit;
mod batch;
mod bonus;
mod expire;
mod grant;
mod hold;
mod machine;
mod races;
mod rights;
mod seal;
mod spend;
mod statement;
mod take_back;
mod transfer;
