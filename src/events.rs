//! Inbound webhooks, in three steps that can be called apart: receive (keep the raw event), decide (a pure function),
//! apply (write what was decided). Asking the provider ourselves goes through the same last two.

pub mod facts;

pub use facts::{Failure, PaymentFacts};
