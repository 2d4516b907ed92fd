//! Webhooks: received once, applied once, kept when they can't be.

mod misfits;
mod mishaps;
mod receive;
mod reversals;
