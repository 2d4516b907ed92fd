//! The one place that makes ids: UUIDv7, so that they sort by when they were made.

use uuid::Uuid;

/// A fresh id for any of the types in `domain::id`.
#[expect(clippy::disallowed_methods, reason = "this is the door that clippy.toml sends everyone else to")]
pub fn fresh() -> Uuid {
    Uuid::now_v7()
}
