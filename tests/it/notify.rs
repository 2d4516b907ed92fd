//! What people are told by mail.

mod announce;
mod deliver;
mod letters;
pub mod smtp;
