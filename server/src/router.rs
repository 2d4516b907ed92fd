//! Which path leads where.

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;

use crate::config::Config;
use crate::database::Pools;
use crate::health;

/// What handlers can ask for.
#[derive(Clone)]
pub struct AppState {
    pub ctx: atlas::Context,
    pub config: Arc<Config>,
    pub pools: Pools,
}

impl AppState {
    pub fn new(ctx: atlas::Context, config: Config, pools: Pools) -> Self {
        Self { ctx, config: Arc::new(config), pools }
    }
}

impl FromRef<AppState> for atlas::Context {
    fn from_ref(state: &AppState) -> Self {
        state.ctx.clone()
    }
}

pub fn build(state: &AppState) -> Router {
    Router::new().merge(health::routes(state.ctx.db.clone()))
}
