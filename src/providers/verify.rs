//! Standard Webhooks verification (written next).
