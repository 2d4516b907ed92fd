//! Which path leads where.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use app::request::Site as PageSite;
use atlas::plans::shelf::Shelf;
use atlas::spends::Spends;
use axum::Router;
use axum::extract::FromRef;
use axum::middleware::from_fn_with_state;
use domain::Provider;
use leptos::config::LeptosOptions;
use leptos_axum::{LeptosRoutes, generate_route_list};

use crate::assets::Site;
use crate::config::Config;
use crate::database::Pools;
use crate::meter::Meters;
use crate::order_events::Hub;
use crate::providers::{WhopDoor, WhopSetUp};
use crate::rights::guard::{self, Guard};
use crate::webhooks::Inbox;
use crate::{
    api, csp_reports, embed, export_file, health, layers, order_events, orders_file, redraw, session, statement_file,
    webhooks, whop_sign_in,
};

/// What the routes are built of.
pub struct AppState {
    pub ctx: atlas::Context,
    pub hub: Hub,
    pub inbox: Inbox,
    pub spends: Spends,
    pub site: Site,
    pub leptos: Arc<LeptosOptions>,
    pub pages: Arc<PageSite>,
    /// None: nothing is sold at Whop.
    pub whop: Option<WhopDoor>,
    pub known: layers::Known,
    pub meters: Meters,
    /// What Whop shows of us, where that is set up.
    pub frame: Option<embed::Frame>,
}

impl AppState {
    pub fn new(
        ctx: atlas::Context,
        config: &Config,
        pools: &Pools,
        whop: Option<WhopSetUp>,
        bound: SocketAddr,
    ) -> Result<Self> {
        let site = Site::open(&config.site_dir())?;
        let leptos = Arc::new(site.leptos_options(bound));
        let pages = Arc::new(PageSite {
            ctx: ctx.clone(),
            only_reads: atlas::Context { db: pools.look.clone(), ..ctx.clone() },
            shelf: Shelf::default(),
            checkout_origin: config.whop.web_url.clone(),
            sign_in_origin: config.sign_in_origin().map(ToOwned::to_owned),
            whop: (config.payment_provider == Provider::Whop).then(|| config.whop.given()),
        });
        let door = pages.whop.is_some().then(|| {
            let door = WhopDoor::default();
            whop.map(|whop| door.set(whop));
            door
        });
        let inbox = webhooks::inbox(atlas::Context { db: pools.webhook.clone(), ..ctx.clone() });
        let spends = Spends::start(&atlas::Context { db: pools.spend.clone(), ..ctx.clone() });
        let known = config.known(&ctx.public_url);
        let meters = Meters::new(config.spends_of_a_key());
        let tokens = config.whop.user_tokens().context("WHOP_APP_PUBLIC_KEY")?;
        let frame = tokens.map(|tokens| embed::Frame {
            ctx: ctx.clone(),
            shelf: pages.shelf.clone(),
            leptos: leptos.clone(),
            tokens,
            issuer: config.whop.issuer().to_owned(),
        });
        Ok(Self { ctx, hub: Hub::new(), inbox, spends, site, leptos, pages, whop: door, known, meters, frame })
    }
}

/// All that the routes of the pages hold: axum copies what a route holds once for each layer around it, at every request.
#[derive(Clone)]
struct Drawing(Arc<LeptosOptions>);

impl FromRef<Drawing> for LeptosOptions {
    fn from_ref(Drawing(options): &Drawing) -> Self {
        Self::clone(options)
    }
}

pub fn build(state: &AppState) -> Result<Router> {
    let pages = pages(state);
    let guard = Guard::new(state.ctx.clone(), pages.clone());
    let with_session = pages
        .clone()
        .layer(from_fn_with_state(pages.clone(), redraw::at_once))
        .merge(whop_sign_in::routes(state.pages.clone(), pages))
        .merge(order_events::routes(state.ctx.clone(), state.hub.clone()))
        .merge(statement_file::routes(state.ctx.clone()))
        .merge(orders_file::routes(state.ctx.clone()))
        .merge(export_file::routes(state.ctx.clone()))
        .merge(api::routes_with_session(state.pages.clone(), state.meters.spends.clone()));
    let mut without = Router::new()
        .merge(health::routes(state.ctx.db.clone()))
        .merge(api::routes(state.spends.clone(), state.meters.spends.clone()))
        .merge(csp_reports::routes(state.meters.reports.clone()));
    if let Some(frame) = &state.frame {
        without = without.merge(embed::routes(frame.clone()));
    }
    if let Some(whop) = &state.whop {
        let (clock, inbox, bad) = (state.ctx.clock.clone(), state.inbox.clone(), state.meters.bad_signatures.clone());
        without = without.merge(webhooks::routes(clock, inbox, whop.clone(), bad));
    }
    let site = state
        .site
        .routes()?
        .merge(guarded(without, guard.clone()))
        .merge(session::attach(guarded(with_session, guard), &state.ctx));
    Ok(layers::wrap(site, &state.ctx.public_url, state.known.clone()))
}

/// With the guard at every door, who lets nobody through but by the table of rights.
pub fn guarded(routes: Router, guard: Guard) -> Router {
    routes.layer(from_fn_with_state(guard, guard::ask))
}

/// The pages, the actions, and the page for everything that is nowhere.
fn pages(state: &AppState) -> Router {
    app::actions::register();
    let drawing = Drawing(Arc::clone(&state.leptos));
    let (site, for_missing) = (Arc::clone(&state.pages), Arc::clone(&state.pages));
    let head = app::shell::Head::new(&state.leptos);
    let shell = move || app::shell(&head);
    Router::new()
        .leptos_routes_with_context(
            &drawing,
            generate_route_list(app::App),
            move || app::provide_request(&site),
            shell.clone(),
        )
        .fallback(leptos_axum::render_app_async_with_context(move || app::provide_request(&for_missing), shell))
        .with_state(drawing)
}
