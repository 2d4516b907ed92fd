//! A local Whop: its REST API, a checkout page for people, and signed webhooks, as far as a seller of one-time purchases
//! needs them. It can be told to misbehave. It knows nothing of the programs that are tested against it.

pub mod api;
pub mod checkouts;
pub mod clock;
pub mod control;
pub mod disputes;
pub mod faults;
pub mod ids;
pub mod memberships;
pub mod money;
pub mod oauth;
pub mod options;
pub mod pages;
pub mod payments;
pub mod people;
pub mod plans;
pub mod products;
pub mod refunds;
pub mod routes;
pub mod sandbox;
pub mod tasks;
pub mod webhooks;
pub mod world;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use crate::sandbox::Sandbox;
use options::Options;
use world::World;
use world::journal::Journal;

/// A sandbox that listens.
pub struct Running {
    pub address: SocketAddr,
    pub sandbox: Sandbox,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Running {
    /// Takes no new requests, finishes those under way (for at most two seconds), and returns.
    pub async fn stop(self) -> anyhow::Result<()> {
        // The receiver is gone only when the server has already ended by itself.
        let _ = self.stop.send(());
        match tokio::time::timeout(std::time::Duration::from_secs(2), self.server).await {
            Ok(ended) => ended?.context("the server failed"),
            Err(_) => Ok(()),
        }
    }
}

/// Starts the sandbox and returns once it accepts connections.
pub async fn start(options: &Options) -> anyhow::Result<Running> {
    let listener = TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("cannot listen on {}; is another sandbox running?", options.listen))?;
    let address = listener.local_addr()?;
    let settings = Arc::new(options.settings(address));
    let mut world = World::new(Arc::clone(&settings));
    let journal = match &options.journal {
        Some(path) => Journal::open(path, &mut world)?,
        None => Journal::default(),
    };
    let sandbox = Sandbox::new(settings, world, journal)?;
    sandbox.change(|world| {
        people::ensure_owner(world);
        // An empty variable means the same as none.
        if let Some(url) = options.webhook_url.as_deref().filter(|url| !url.is_empty()) {
            let secret = options.webhook_secret.as_deref().filter(|secret| !secret.is_empty());
            webhooks::ensure_first(world, url, secret);
        }
    });
    let app = routes::router(sandbox.clone());
    let (stop, stopped) = oneshot::channel();
    let server = axum::serve(listener, app).with_graceful_shutdown(async {
        // A dropped sender means the same: stop.
        let _ = stopped.await;
    });
    Ok(Running { address, sandbox, stop, server: tasks::spawn(async { server.await }) })
}
