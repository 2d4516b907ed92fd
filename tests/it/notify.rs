//! What people are told by mail.

mod announce;
