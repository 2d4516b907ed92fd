//! Spends that applications ask for on behalf of people: many in one transaction, each answered by itself once that is
//! committed.
//!
//! So that one busy wallet starves nobody: every wallet belongs to one of [`LANES`] lanes, each with its own queue and
//! one batch at a time, so that no batch waits for a wallet that another has locked; and only
//! [`AT_ONCE_PER_WALLET_MAX`] spends of a wallet are let in at a time, a part of its lane's queue.

mod carry_out;
mod places;
mod request;

use std::sync::Arc;
use std::time::Duration;

use domain::PersonId;
use futures::future::join_all;

use crate::batcher::{Batcher, Limits, isolate};
use crate::ledger::Moved;
use crate::{Context, Refusal, Result};
use places::{Place, Places};

pub use request::{IdempotencyKey, Request, Usage};

/// Transactions under way at the same time, and so the connections that are used.
pub const LANES: u32 = 2;
/// In each lane, at a few thousand spends a second a wait of less than half a second.
const QUEUE_MAX: usize = 1_024;
const BATCH_MAX: usize = 256;
/// While spends come together, a batch is kept open this long for more of them.
const LINGER: Duration = Duration::from_millis(1);
/// More than the statement timeout; less than callers are made to wait.
const BATCH_TIMEOUT: Duration = Duration::from_secs(8);
const AT_ONCE_PER_WALLET_MAX: usize = 256;

/// Where spends are handed in. Copies share the same queues.
#[derive(Clone)]
pub struct Spends {
    lanes: Arc<[Batcher<Admitted, Moved>]>,
    places: Places,
}

/// A request that found a place; the place is free again when the request is answered, not when its sender hangs up.
struct Admitted {
    request: Request,
    _place: Place,
}

impl Spends {
    /// `ctx.db` is used for nothing else, with a connection for each of the [`LANES`].
    pub fn start(ctx: &Context) -> Self {
        let limits = Limits { queue: QUEUE_MAX, batch: BATCH_MAX, lanes: 1, linger: LINGER, time: BATCH_TIMEOUT };
        let lanes = (0..LANES).map(|_| {
            let ctx = ctx.clone();
            Batcher::start(limits, move |admitted: Vec<Admitted>| {
                let ctx = ctx.clone();
                async move { isolate(&admitted, |part| carry_out::carry_out(&ctx, part)).await }
            })
        });
        Self { lanes: lanes.collect(), places: Places::new(AT_ONCE_PER_WALLET_MAX) }
    }

    /// Takes the credits, or says why not. Once this was polled it happens even if the caller goes away.
    ///
    /// Errors: [`Refusal::UnknownApiKey`]; [`crate::Error::Forbidden`], the key was not made for this;
    /// [`Refusal::NoWallet`], [`Refusal::NotEnoughCredits`], [`Refusal::CreditsAreOwed`],
    /// [`Refusal::KeyUsedForAnotherRequest`]; [`Refusal::WalletTooBusy`]; [`crate::Error::Unavailable`]: either not begun
    /// or of unknown outcome, and in both cases right to repeat with the same key. What is refused leaves no trace.
    pub async fn spend(&self, request: Request) -> Result<Moved> {
        let owner = request.usage.owner;
        let place = self.places.take(owner).ok_or(Refusal::WalletTooBusy)?;
        self.lane(owner).submit(Admitted { request, _place: place }).await
    }

    /// Takes no more, and comes back when all that was taken is answered.
    pub async fn close(&self) {
        join_all(self.lanes.iter().map(Batcher::close)).await;
    }

    /// Ids of people are UUIDs that end in random bits.
    fn lane(&self, owner: PersonId) -> &Batcher<Admitted, Moved> {
        &self.lanes[usize::from(owner.uuid().as_bytes()[15]) % self.lanes.len()]
    }
}
