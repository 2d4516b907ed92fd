//! What people are told by mail.

mod announce;
mod by_hand;
mod deliver;
mod letters;
pub mod smtp;
