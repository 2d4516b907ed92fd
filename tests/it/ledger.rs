//! The credit ledger: its kernel, its rights, its audit, and what people read of it.

mod audit;
mod grant;
mod machine;
mod rights;
mod spend;
mod statement;
