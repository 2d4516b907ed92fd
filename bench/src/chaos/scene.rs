//! What a storm is made of: servers, proxies, the provider's twin, two processes of Atlas, and everything that the seed
//! has decided.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::Plan;
use super::app::{App, Setup};
use super::cluster::Cluster;
use super::deliver::Deliverer;
use super::dice::Dice;
use super::monkey::Monkey;
use super::orders;
use super::planted::Bug;
use super::post::PostOffice;
use super::proxy::{Manner, Proxy};
use super::script::{self, Script};
use super::spends::{self, Spender};
use super::twin::Twin;
use super::world::{World, generate};

const API_KEY: &str = "apik_storm_0123456789abcdef";
pub const COMPANY: &str = "biz_Storm0001";
/// Applications that spend: a key of one may be limited to so many a second.
const KEYS: usize = 4;

pub struct Scene {
    pub world: Arc<World>,
    pub script: Script,
    pub twin: Twin,
    pub post: PostOffice,
    pub monkey: Monkey,
    pub spenders: Vec<Spender>,
    /// None of them may be in a log.
    pub secrets: Vec<String>,
}

/// A folder of its own, with a short name: a socket's path may have 107 bytes.
pub fn folder(seed: u64) -> Result<PathBuf> {
    let mut dice = Dice::new(seed ^ u64::from(std::process::id()), 9);
    loop {
        let folder = PathBuf::from(format!("/tmp/storm-{:x}", dice.below(1 << 32)));
        match fs::create_dir(&folder) {
            // What an earlier storm left for somebody to look at.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => return made.map(|()| folder.clone()).with_context(|| format!("making {}", folder.display())),
        }
    }
}

pub async fn make(atlas: &Path, plan: &Plan, folder: &Path) -> Result<Scene> {
    let began = Instant::now();
    site(&folder.join("site"))?;
    let now = atlas::clock::Clock::system().now();
    let buyers = plan.bug.map_or(generate::BUYERS, Bug::buyers);
    let world = Arc::new(generate::world(plan.seed, plan.payments, buyers, COMPANY, now));
    let script = script::script(plan.seed, &world, plan.deliveries);
    let twin = Twin::start(&world, API_KEY, COMPANY).await?;
    let cluster = Cluster::make(folder, plan.bug.is_none_or(Bug::is_synchronous)).await?;
    let post = PostOffice::open(plan.bug.map_or(Duration::ZERO, Bug::mail_takes)).await?;
    let (front, database) = (Proxy::start().await?, Proxy::start().await?);
    let mut dice = Dice::new(plan.seed, 3);
    let setup = Setup {
        program: atlas.to_owned(),
        folder: folder.to_owned(),
        database: database.address,
        provider: twin.address,
        post: post.address,
        api_key: API_KEY.to_owned(),
        company: COMPANY.to_owned(),
        secret: format!("ws_{:016x}{:016x}", dice.next(), dice.next()),
        secret_before: None,
    };
    let deliverer = Arc::new(Deliverer::new(front.address, &setup.secret, Arc::clone(&world))?);
    let mut monkey = Monkey {
        apps: ["one", "two"].map(|name| App::new(folder, name)).into(),
        setup,
        cluster,
        front,
        database,
        provider: Arc::clone(&twin.knows),
        deliverer,
        dice,
        deaf_for: plan.bug.and_then(Bug::deaf_for),
        freeze_ms: plan.freeze_ms,
        outage: plan.outage,
        findings: Vec::new(),
    };
    monkey.lead_database();
    ask(&monkey.setup, &["migrate"]).await?;
    let owner = monkey.cluster.owner();
    orders::set_up(&owner, &world).await?;
    if let Some(bug) = plan.bug {
        bug.plant(&owner).await?;
    }
    owner.close().await;
    let mut secrets = vec![API_KEY.to_owned(), monkey.setup.secret.clone()];
    let mut spenders = Vec::new();
    for number in 0..if plan.has_spends { KEYS } else { 0 } {
        let name = format!("storm-{number}");
        let key = spends::key_in(&ask(&monkey.setup, &["key", "create", "--name", &name, "--scope", "spend"]).await?)?;
        spenders.push(Spender::new(monkey.front.address, &key)?);
        secrets.push(key);
    }
    monkey.database.serve(plan.bug.map_or(Manner::Honest, Bug::manner));
    for app in 0..monkey.apps.len() {
        monkey.start(app).await?;
    }
    let (took, messages) = (began.elapsed().as_millis(), world.messages.len());
    println!("{took} ms to set up: {} payments, {messages} messages, {} deliveries", plan.payments, script.deliveries);
    Ok(Scene { world, script, twin, post, monkey, spenders, secrets })
}

/// A command that has to succeed; what it said.
pub async fn ask(setup: &Setup, arguments: &[&str]) -> Result<String> {
    let (is_fine, said) = setup.run(arguments).await?;
    if !is_fine {
        bail!("atlas {}: {said}", arguments.join(" "));
    }
    Ok(said)
}

/// The storm serves no pages, so its site is empty.
fn site(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder.join("pkg"))?;
    fs::write(folder.join("hash.txt"), "js: 1\nwasm: 2\ncss: 3\n")?;
    for file in ["atlas.1.js", "atlas.2.wasm", "atlas.3.css"] {
        fs::write(folder.join("pkg").join(file), "")?;
    }
    Ok(())
}
