//! The core against a real PostgreSQL. Every test has a database of its own and works in it under the rights of the
//! running application.
#![expect(clippy::unwrap_used, reason = "tests")]

mod api_keys;
mod audit;
mod by_hand;
mod cases;
mod decide;
mod desk;
mod events;
mod figures;
mod jobs;
mod leaving;
mod ledger;
mod legacy;
mod limits;
mod memberships;
mod notes;
mod notify;
mod oauth;
mod orders;
mod people;
mod plans;
mod reconcile;
mod scripted;
mod set_up;
mod settings;
mod spends;
mod stage;
mod vault;
mod viewing;
mod whop_client;
mod whop_provider;
mod whop_refund;
mod whop_resources;
mod whop_scene;
