//! The sandbox from outside: each test starts its own on a free port and talks to it over HTTP.
#![expect(clippy::unwrap_used, reason = "tests")]

mod api;
mod checkout;
mod control;
mod deliveries;
mod faults;
mod idempotency;
mod journal;
mod pages;
mod refunds;
mod signatures;
mod stage;
