//! Webhooks: received once, applied once, kept when they can't be.

mod link;
mod misfits;
mod mishaps;
mod receive;
mod reversals;
