//! The pages and what is changed from them. Native only: nothing here reaches the browser but HTML.

// The type of a page is as deep as its markup.
#![recursion_limit = "512"]
#![expect(clippy::needless_pass_by_value, reason = "a component owns what it is given")]

pub mod actions;
pub mod embed;
pub mod flash;
mod layout;
mod pages;
mod parts;
pub mod request;
pub mod routes;
pub mod shell;
mod words;

/// Days in addresses, for the files that follow a page's filters.
pub use self::parts::days;

pub use request::{Site, provide_request};
pub use routes::App;
pub use shell::shell;
