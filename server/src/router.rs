//! Which path leads where.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::extract::FromRef;
use leptos::config::LeptosOptions;

use crate::assets::Site;
use crate::config::Config;
use crate::database::Pools;
use crate::{health, layers, session};

/// What handlers can ask for.
#[derive(Clone)]
pub struct AppState {
    pub ctx: atlas::Context,
    pub config: Arc<Config>,
    pub pools: Pools,
    pub site: Site,
    pub leptos: LeptosOptions,
}

impl AppState {
    pub fn new(ctx: atlas::Context, config: Config, pools: Pools, bound: SocketAddr) -> Result<Self> {
        let site = Site::open(&config.site_dir())?;
        let leptos = site.leptos_options(bound);
        Ok(Self { ctx, config: Arc::new(config), pools, site, leptos })
    }
}

impl FromRef<AppState> for atlas::Context {
    fn from_ref(state: &AppState) -> Self {
        state.ctx.clone()
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}

pub fn build(state: &AppState) -> Result<Router> {
    let pages = session::attach(Router::new(), &state.ctx);
    let site = Router::new().merge(health::routes(state.ctx.db.clone())).merge(state.site.routes()?).merge(pages);
    Ok(layers::wrap(site, &state.ctx.public_url))
}
