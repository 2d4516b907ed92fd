//! The core of Atlas: its rules and their SQL. It knows no HTTP server, no HTML and no environment variables.

#![expect(
    deprecated,
    reason = "sqlx 0.9.0 warns in every query with a time while another crate turns its chrono support on"
)]

pub mod api_keys;
pub mod approvals;
pub mod audit;
pub mod batcher;
pub mod by_hand;
pub mod clock;
pub mod context;
pub mod csv;
pub mod error;
pub mod events;
pub mod figures;
pub mod ids;
pub mod jobs;
pub mod ledger;
pub mod legacy;
pub mod limits;
pub mod memberships;
pub mod notes;
pub mod notify;
pub mod orders;
pub mod people;
pub mod plans;
pub mod providers;
pub mod reconcile;
pub mod set_up;
pub mod settings;
pub mod spends;
pub mod sweep;
pub mod tasks;
pub mod vault;

pub use context::Context;
pub use error::{Error, Refusal, Result};

/// The schema, for whoever migrates: the program at start, and every test.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// The database role that the running application works under (created by the migrations).
pub const APP_ROLE: &str = "atlas_app";
