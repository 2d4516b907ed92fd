fn main() {}

mod whop_client;
mod whop_provider;
mod whop_resources;
mod whop_scene;
