//! Making sure that nothing stays wrong.

mod check;
mod heal;
mod sweep;
