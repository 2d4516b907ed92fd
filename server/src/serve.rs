//! `atlas serve`: the process from its first check to its last connection.

pub mod accept;
mod heads;
mod seats;

use std::io::Write as _;
use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use atlas::clock::Clock;
use atlas::jobs::seal;
use atlas::jobs::work::{self, STOP_TIMEOUT, Tools};
use atlas::providers::Providers;
use atlas::set_up::whop::keys;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::cluster::WhenRunning;
use crate::config::Config;
use crate::database::{Database, Pools, checks};
use crate::router::{self, AppState};
use crate::{encryption, post, providers, set_up};

/// After the last request, for what nobody waits for any more.
const BATCHES_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

pub async fn run(config: Config) -> Result<()> {
    // What is only missing may be stored, or is about to be: that is for the database to say.
    if !config.wrong().is_empty() {
        bail!("the configuration is not complete:\n  {}", config.problems().join("\n  "));
    }
    // From here on a signal waits for us instead of ending us, so that no database is left behind half started.
    let mut stop = StopSignal::listen()?;
    let listener = bind(config.listen).await?;
    let database = Database::open(&config, WhenRunning::Refuse).await?;
    let served = serve(&config, &database, listener, &mut stop).await;
    database.close().await;
    served
}

async fn serve(config: &Config, database: &Database, listener: TcpListener, stop: &mut StopSignal) -> Result<()> {
    let pools = database.pools(config.standing()).await?;
    let bound = listener.local_addr()?;
    let post = post::post(config)?;
    let state = state(config, &pools, bound, post.is_none()).await?;
    set_up::begin(config, &state).await?;
    let site = router::build(&state)?;
    let tools = Tools { ctx: atlas::Context { db: pools.work.clone(), ..state.ctx.clone() }, post };
    let (stopping, mut stopped) = watch::channel(());
    let mut jobs = JoinSet::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(seal::each_second(tools.ctx.clone()));
    tasks.spawn(checks::compare_clocks_each_hour(pools.work.clone(), state.ctx.clock.clone()));
    tasks.spawn(state.hub.clone().listen(pools.work.clone()));
    if let Some(whop) = state.whop.clone().filter(|whop| whop.get().is_none()) {
        tasks.spawn(set_up::take_up(config.clone(), tools.ctx.clone(), whop));
    }
    jobs.spawn(work::run(tools, async move { drop(stopped.changed().await) }));
    writeln!(std::io::stdout(), "atlas listening on http://{bound}")?;
    accept::until_stopped(listener, site, &state.known.proxies, &mut Told { stop: &mut *stop, stopping }).await;
    // What is still under way was asked for by those who hung up.
    let batches = futures::future::join(state.inbox.close(), state.spends.close());
    if tokio::time::timeout(BATCHES_TIMEOUT, batches).await.is_err() {
        tracing::warn!("stopping although batches are under way; whoever asks again finds out what became of them");
    }
    finish(jobs, stop).await;
    tasks.shutdown().await;
    pools.close().await;
    Ok(())
}

/// Jobs were told to stop when the requests were; by now most have.
async fn finish(mut jobs: JoinSet<()>, stop: &mut impl Stop) {
    tokio::select! {
        _ = jobs.join_next() => {}
        () = tokio::time::sleep(STOP_TIMEOUT) => tracing::warn!("cutting off jobs that did not end in time"),
        () = stop.next() => tracing::warn!("second signal: cutting off running jobs"),
    }
    jobs.shutdown().await;
}

async fn state(config: &Config, pools: &Pools, bound: SocketAddr, keeps_mail: bool) -> Result<AppState> {
    let public_url = config.public_url(bound);
    let ctx = atlas::Context {
        db: pools.web.clone(),
        clock: Clock::system(),
        providers: Providers::default().by_default(config.payment_provider),
        whop_oauth: providers::oauth(config, &public_url)?,
        public_url,
        keeps_mail,
        staff_need_second_factor: config.require_second_factor.is_on(),
        vault: encryption::vault(config)?,
        membership_rule: config.membership_rule()?,
    };
    let keys = keys(&ctx, &config.whop.given()).await?;
    let whop = providers::whop(config, &keys)?;
    ctx.providers.set_up(whop.as_ref().map(|whop| whop.provider.clone()));
    AppState::new(ctx, config, pools, whop, bound)
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    match TcpListener::bind(address).await {
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            bail!("{address} is in use; set ATLAS_LISTEN to another address (127.0.0.1:0 takes any free port)")
        }
        bound => bound.with_context(|| format!("listening on {address} (ATLAS_LISTEN)")),
    }
}

/// SIGTERM or Ctrl-C, each time one comes.
pub struct StopSignal {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignal {
    fn listen() -> Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }
}

/// Says when to stop: once for an orderly end, a second time for an end now.
pub trait Stop {
    async fn next(&mut self);
}

impl Stop for StopSignal {
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Passes the signal on to the jobs.
struct Told<'a, S> {
    stop: &'a mut S,
    stopping: watch::Sender<()>,
}

impl<S: Stop> Stop for Told<'_, S> {
    async fn next(&mut self) {
        self.stop.next().await;
        self.stopping.send_replace(());
    }
}
