//! Whop (written next).
