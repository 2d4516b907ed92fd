//! Signing in with Whop, against the sandbox as the authorisation server.

mod grants;
mod scene;
mod sign_in;
