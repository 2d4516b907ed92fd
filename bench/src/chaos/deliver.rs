//! Deliveries as Whop makes them: signed anew for each try, over real HTTP, and again until the answer is 2xx. Every
//! answer goes into a journal, which the checker holds against the database.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use anyhow::Result;
use tokio::sync::{Mutex as Turn, mpsc};
use tokio::task::JoinSet;

use super::dice::Dice;
use super::world::{Due, World};
use crate::webhook;

/// The provider waits this long for an answer (Whop API, delivery).
const ANSWER_MAX: Duration = Duration::from_secs(5);
const CONNECTIONS: usize = 64;
const AGAIN_AFTER_MS: (u64, u64) = (100, 1_500);
const SURPRISES_MAX: usize = 20;

/// What was answered to one message, over all its deliveries.
#[derive(Debug, Default)]
pub struct Answers {
    pub accepted: AtomicU32,
    pub refused: AtomicU32,
}

pub struct Deliverer {
    address: SocketAddr,
    secret: RwLock<String>,
    world: Arc<World>,
    pub answers: Vec<Answers>,
    /// Answers by status; 0: none came.
    statuses: Mutex<BTreeMap<u16, u64>>,
    surprises: Mutex<Vec<String>>,
    http: reqwest::Client,
}

impl Deliverer {
    pub fn new(address: SocketAddr, secret: &str, world: Arc<World>) -> Result<Self> {
        let answers = world.messages.iter().map(|_| Answers::default()).collect();
        Ok(Self {
            address,
            secret: RwLock::new(secret.to_owned()),
            world,
            answers,
            statuses: Mutex::default(),
            surprises: Mutex::default(),
            http: client(ANSWER_MAX)?,
        })
    }

    /// Signs with another secret from now on.
    pub fn sign_with(&self, secret: &str) {
        secret.clone_into(&mut self.secret.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Delivers what comes through the channel; ends when all of it was answered for good.
    pub fn work(self: &Arc<Self>, seed: u64, queue: mpsc::Receiver<usize>) -> JoinSet<()> {
        let queue = Arc::new(Turn::new(queue));
        let mut workers = JoinSet::new();
        for number in 0..CONNECTIONS {
            let (own, queue) = (Arc::clone(self), Arc::clone(&queue));
            workers.spawn(async move {
                let mut dice = Dice::new(seed, 1_000 + number as u64);
                loop {
                    let next = queue.lock().await.recv().await;
                    let Some(message) = next else { return };
                    own.deliver(message, &mut dice).await;
                }
            });
        }
        workers
    }

    /// Until it was accepted; or refused, where that is due.
    async fn deliver(&self, number: usize, dice: &mut Dice) {
        let is_forged = self.world.messages[number].due == Due::Refused;
        loop {
            let status = self.once(number, is_forged).await;
            *lock(&self.statuses).entry(status).or_default() += 1;
            let answers = &self.answers[number];
            match status {
                200..300 => {
                    answers.accepted.fetch_add(1, Ordering::SeqCst);
                    return;
                }
                // Or that too many of its kind came before it.
                401 | 429 if is_forged => {
                    answers.refused.fetch_add(1, Ordering::SeqCst);
                    return;
                }
                0 | 408 | 429 | 502..=504 => {}
                other => self.surprise(format!("{} was answered with {other}", self.world.messages[number].id)),
            }
            tokio::time::sleep(dice.milliseconds(AGAIN_AFTER_MS.0, AGAIN_AFTER_MS.1)).await;
        }
    }

    /// The status; 0 when no answer came.
    async fn once(&self, number: usize, is_forged: bool) -> u16 {
        let message = &self.world.messages[number];
        let now = atlas::clock::Clock::system().now().unix_timestamp();
        let secret = if is_forged {
            "ws_a_secret_that_nobody_gave_us_0123456789".to_owned()
        } else {
            self.secret.read().unwrap_or_else(PoisonError::into_inner).clone()
        };
        let Ok(signature) = webhook::signature(&secret, &message.id, now, &message.body) else { return 0 };
        let sent = self
            .http
            .post(format!("http://{}{}", self.address, domain::paths::WHOP_WEBHOOK))
            .header("content-type", "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", now)
            .header("webhook-signature", signature)
            .body(message.body.clone())
            .send()
            .await;
        match sent {
            Ok(answer) => answer.status().as_u16(),
            Err(_) => 0,
        }
    }

    fn surprise(&self, what: String) {
        let mut surprises = lock(&self.surprises);
        if surprises.len() < SURPRISES_MAX {
            surprises.push(what);
        }
    }

    pub fn statuses(&self) -> BTreeMap<u16, u64> {
        lock(&self.statuses).clone()
    }

    pub fn surprises(&self) -> Vec<String> {
        lock(&self.surprises).clone()
    }
}

/// One that follows no redirect and waits so long.
pub fn client(answer_max: Duration) -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(2))
        .timeout(answer_max)
        .build()?)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
