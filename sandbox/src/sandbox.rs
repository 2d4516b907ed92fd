//! The handle that routes, timers and deliveries share. Every change goes through one door, which writes the journal and
//! then sends the webhooks and starts the timers that the change asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};

use crate::clock::Moment;
use crate::oauth::id_token::SigningKey;
use crate::options::Settings;
use crate::webhooks::deliver;
use crate::world::journal::Journal;
use crate::world::{Due, Timer, World};
use crate::{payments, refunds, tasks};

/// Deliveries that may be under way at once to one endpoint.
const DELIVERIES_PER_ENDPOINT: usize = 64;
/// An endpoint must answer within this time (Whop documentation, webhooks).
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A running sandbox; cheap to clone.
#[derive(Clone)]
pub struct Sandbox(Arc<Shared>);

struct Shared {
    settings: Arc<Settings>,
    world: Mutex<Kept>,
    client: reqwest::Client,
    signing_key: SigningKey,
    gates: Mutex<HashMap<String, Arc<Semaphore>>>,
    changed: Notify,
}

struct Kept {
    world: World,
    journal: Journal,
}

impl Sandbox {
    pub fn new(settings: Arc<Settings>, world: World, journal: Journal) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(ANSWER_WITHIN)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent("Whop-Sandbox-Webhooks/1.0")
            .build()?;
        let kept = Mutex::new(Kept { world, journal });
        Ok(Self(Arc::new(Shared {
            settings,
            world: kept,
            client,
            signing_key: SigningKey::fresh()?,
            gates: Mutex::default(),
            changed: Notify::new(),
        })))
    }

    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub fn client(&self) -> &reqwest::Client {
        &self.0.client
    }

    pub fn signing_key(&self) -> &SigningKey {
        &self.0.signing_key
    }

    /// Looks at the world.
    pub fn read<R>(&self, look: impl FnOnce(&World) -> R) -> R {
        look(&self.lock().world)
    }

    /// Changes the world, journals the change, then sets its webhooks and timers in motion.
    pub fn change<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        let (outcome, outbox, timers) = {
            let mut kept = self.lock();
            let Kept { world, journal } = &mut *kept;
            let outcome = change(world);
            world.trim();
            if let Err(error) = journal.write(world) {
                tracing::error!(%error, "the journal could not be written");
            }
            (outcome, std::mem::take(&mut world.outbox), std::mem::take(&mut world.timers))
        };
        for dispatch in outbox {
            tasks::spawn(deliver::run(self.clone(), dispatch));
        }
        for timer in timers {
            tasks::spawn(self.clone().ring(timer));
        }
        self.0.changed.notify_waiters();
        outcome
    }

    /// Waits until `look` finds something, at most `limit`.
    pub async fn wait_for<R>(&self, limit: Duration, look: impl Fn(&World) -> Option<R>) -> Option<R> {
        let watch = async {
            loop {
                let changed = self.0.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if let Some(found) = self.read(&look) {
                    return found;
                }
                changed.await;
            }
        };
        tokio::time::timeout(limit, watch).await.ok()
    }

    /// The gate that bounds how many deliveries go to one endpoint at once.
    pub fn gate(&self, endpoint_id: &str) -> Arc<Semaphore> {
        let mut gates = self.0.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Arc::new(Semaphore::new(DELIVERIES_PER_ENDPOINT));
        Arc::clone(gates.entry(endpoint_id.to_owned()).or_insert_with(fresh))
    }

    async fn ring(self, timer: Timer) {
        tokio::time::sleep(timer.at.since(Moment::now())).await;
        self.change(|world| match &timer.due {
            Due::Payment(id) => payments::settle::when_due(world, id),
            Due::Refund(id) => refunds::settle(world, id),
        });
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
