//! Pieces of view that several pages use.

pub mod bars;
pub mod before_the_move;
pub mod browser;
pub mod days;
pub mod field;
pub mod folded;
pub mod membership;
pub mod notes;
pub mod notice;
pub mod problem;
pub mod records;
pub mod small;
pub mod statement_table;
pub mod text_area;
pub mod viewing;
pub mod whop;
