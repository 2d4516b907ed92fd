//! The figures of the overview. They are counted in the transactions that they tell of, folded into sums by a job, and read as
//! sums and what waits together: exact at any time. `docs/decisions/0014-rollups.md`.

pub mod fold;
pub mod overview;
pub mod period;
pub mod sales;
pub mod standing;
pub mod times;
pub mod totals;
pub mod zone;
