//! Carries steps out on the real kernel, and tells its answers in the model's words. Worlds that stand abreast take their
//! steps at the same time: those of a kind share a batch.

use std::collections::HashMap;

use atlas::ledger::Moved;
use atlas::ledger::expire::expire;
use atlas::ledger::grant::{Grant, PaymentKey, grant_batch};
use atlas::ledger::hold::{Ended, capture, release, reserve};
use atlas::ledger::spend::spend_batch;
use atlas::ledger::take_back::{TakeBack, TakenBack, take_back_batch};
use atlas::ledger::transfer::transfer;
use atlas::{Refusal, Result};
use domain::{Credits, HoldId, Money, PersonId, Provider};
use sqlx::PgConnection;

use super::model::{Answers, Standing};
use super::steps::Step;
use super::world::World;
use crate::stage::{Stage, captured, level, promo};

const SWEEP: i32 = 1_000;

pub struct Worlds<'a> {
    stage: &'a Stage,
    worlds: Vec<World>,
}

/// Requests of one kind, each with the place of its world.
type Batch<T> = Vec<(usize, T)>;

/// Owner, posted, held, debt, and of each lot what is left and what is held.
type WalletRow = (PersonId, i64, i64, i64, Vec<i64>, Vec<i64>);

/// The steps of all worlds, by kind.
#[derive(Default)]
struct Sorted {
    grants: Batch<Grant>,
    spends: Batch<atlas::ledger::spend::Spend>,
    reserves: Batch<atlas::ledger::hold::Reserve>,
    captures: Batch<atlas::ledger::hold::Capture>,
    releases: Batch<HoldId>,
    levels: Batch<TakeBack>,
    transfers: Batch<atlas::ledger::transfer::Transfer>,
    bought: Batch<(PersonId, String, i64)>,
    /// Of what was bought, each with its bonus.
    bonuses: Vec<i64>,
    outdated_lots: Vec<(PersonId, i64)>,
    outdated_holds: Vec<HoldId>,
}

impl<'a> Worlds<'a> {
    pub async fn new(stage: &'a Stage, count: usize) -> Self {
        // What earlier sequences left to be swept is not for these to count.
        sweep(stage).await;
        let mut worlds = Vec::new();
        for _ in 0..count {
            worlds.push(World::new(stage).await);
        }
        Self { stage, worlds }
    }

    /// One step of each world. A sweep is everybody's; the first one tells what it found.
    pub async fn carry_out(&mut self, steps: &[Step]) -> Vec<Answers> {
        let stage = self.stage;
        let mut answers = vec![Answers::new(); steps.len()];
        if matches!(steps[0], Step::Expire) {
            answers[0].push(Ok((false, sweep(stage).await)));
            return answers;
        }
        let mut sorted = self.sort(steps);
        self.outdate(&sorted.outdated_lots, &sorted.outdated_holds).await;
        let (places, bought): (Vec<usize>, Vec<_>) = sorted.bought.into_iter().unzip();
        let grants = stage.purchases(&bought).await;
        let bonuses = with_bonus(stage, &grants, &sorted.bonuses).await;
        sorted.grants.extend(places.iter().copied().zip(grants));
        sorted.grants.extend(places.into_iter().zip(bonuses).filter_map(|(place, bonus)| Some((place, bonus?))));
        let moved = |moved: Moved| (moved.replayed, moved.net.get());
        let ended = |ended: Ended| (ended.replayed, ended.net.get());
        let granted = ask(stage, sorted.grants, async |tx, batch| grant_batch(tx, batch).await).await;
        stage.settled(bought.into_iter().map(|(_, payment, _)| payment).collect()).await;
        tell(&mut answers, granted, moved);
        tell(&mut answers, ask(stage, sorted.spends, async |tx, batch| spend_batch(tx, batch).await).await, moved);
        tell(&mut answers, ask(stage, sorted.captures, async |tx, batch| capture(tx, batch).await).await, ended);
        tell(&mut answers, ask(stage, sorted.releases, async |tx, batch| release(tx, batch).await).await, ended);
        tell(&mut answers, ask(stage, sorted.transfers, async |tx, batch| transfer(tx, batch).await).await, moved);
        let levelled = |done: TakenBack| (done.unchanged, done.net.get());
        tell(
            &mut answers,
            ask(stage, sorted.levels, async |tx, batch| take_back_batch(tx, batch).await).await,
            levelled,
        );
        for (place, held) in ask(stage, sorted.reserves, async |tx, batch| reserve(tx, batch).await).await {
            answers[place].push(held.map(|held| (held.replayed, self.worlds[place].numbered(held))));
        }
        answers
    }

    fn sort(&mut self, steps: &[Step]) -> Sorted {
        let mut sorted = Sorted::default();
        for (place, (world, step)) in self.worlds.iter_mut().zip(steps).enumerate() {
            match step {
                Step::Grant(items) => sorted.grants.extend(items.iter().map(|item| (place, world.grant(item)))),
                Step::Spend(items) => sorted.spends.extend(items.iter().map(|item| (place, world.spend(item)))),
                Step::Buy { who, payment, credits, bonus } => {
                    let id = world.payment(*payment);
                    if world.pays_first(*payment) {
                        sorted.bought.push((place, (world.person(*who).id(), id, *credits)));
                        sorted.bonuses.push(*bonus);
                    } else {
                        // The same payment under another key.
                        let paid = Some((PaymentKey { provider: Provider::Whop, id }, Money::usd(100)));
                        sorted.grants.push((place, Grant { paid, ..promo(world.person(*who), *credits) }));
                    }
                }
                Step::Reserve { key, who, credits } => {
                    sorted.reserves.push((place, world.reserve(*key, *who, *credits)));
                }
                Step::Capture { nth, credits } => sorted.captures.push((place, captured(world.hold(*nth), *credits))),
                Step::Release { nth } => sorted.releases.push((place, world.hold(*nth))),
                Step::TakeBack { payment, part, taken, frozen } => {
                    let level = level(&world.payment(*payment), *taken, *frozen);
                    sorted.levels.push((place, TakeBack { part: *part, ..level }));
                }
                Step::Transfer { key, from, to, credits } => {
                    sorted.transfers.push((place, world.transfer(*key, *from, *to, *credits)));
                }
                Step::OutdateLot { who, nth } => {
                    sorted.outdated_lots.push((world.person(*who).id(), i64::try_from(*nth).unwrap()));
                }
                Step::OutdateHold { nth } => sorted.outdated_holds.push(world.hold(*nth)),
                Step::Expire => panic!("a sweep is everybody's"),
            }
        }
        sorted
    }

    /// Lets lots and holds pass their end.
    async fn outdate(&self, lots: &[(PersonId, i64)], holds: &[HoldId]) {
        if lots.is_empty() && holds.is_empty() {
            return;
        }
        let (owners, places): (Vec<PersonId>, Vec<i64>) = lots.iter().copied().unzip();
        sqlx::query(
            "update credit_lots set expires_at = '2000-01-01' where id = any(array(
                select (select lot.id from credit_lots lot join credit_accounts wallet on wallet.id = lot.account_id
                    where wallet.owner_id = said.owner order by lot.id offset said.nth limit 1)
                from unnest($1::uuid[], $2::bigint[]) as said (owner, nth)))",
        )
        .bind(owners)
        .bind(places)
        .execute(&self.stage.owner)
        .await
        .unwrap();
        sqlx::query("update credit_holds set expires_at = now() - interval '1 day' where id = any($1)")
            .bind(holds)
            .execute(&self.stage.owner)
            .await
            .unwrap();
    }

    /// World by world and person by person.
    pub async fn stands(&self) -> Vec<Vec<Standing>> {
        let people: Vec<PersonId> = self.worlds.iter().flat_map(World::people).collect();
        let rows: Vec<WalletRow> = sqlx::query_as(
            "select owner_id, posted, wallet.held, debt,
                array(select remaining from credit_lots lot where lot.account_id = wallet.id order by id),
                array(select lot.held from credit_lots lot where lot.account_id = wallet.id order by id)
            from credit_accounts wallet where owner_id = any($1)",
        )
        .bind(people)
        .fetch_all(&self.stage.ctx.db)
        .await
        .unwrap();
        let mut found: HashMap<PersonId, Standing> = rows
            .into_iter()
            .map(|(owner, posted, held, debt, left, holding)| {
                (owner, (posted, held, debt, left.into_iter().zip(holding).collect()))
            })
            .collect();
        self.worlds.iter().map(|world| world.people().map(|person| found.remove(&person).unwrap()).collect()).collect()
    }
}

/// The bonus of each that was bought, which its order tells of.
async fn with_bonus(stage: &Stage, bought: &[Grant], bonuses: &[i64]) -> Vec<Option<Grant>> {
    sqlx::query(
        "update credit_orders o set bonus_credits = told.bonus
        from unnest($1::uuid[], $2::bigint[]) as told (id, bonus) where o.id = told.id",
    )
    .bind(bought.iter().filter_map(|grant| grant.order).collect::<Vec<_>>())
    .bind(bonuses)
    .execute(&stage.owner)
    .await
    .unwrap();
    let given = bought
        .iter()
        .zip(bonuses)
        .map(|(grant, bonus)| (*bonus > 0).then(|| grant.with_bonus(Credits::new(*bonus), None, "Bonus".to_owned())));
    given.collect()
}

/// Sweeps until nothing is due; how many credits were lost by it.
async fn sweep(stage: &Stage) -> i64 {
    let mut lost = 0;
    loop {
        let swept = expire(&stage.ctx.db, SWEEP).await.unwrap();
        if swept.is_nothing() {
            return lost;
        }
        lost += swept.credits.get();
    }
}

/// Sends a batch, if there is anything in it; the answers, each with its place.
async fn ask<T, A>(
    stage: &Stage,
    batch: Batch<T>,
    door: impl AsyncFnOnce(&mut PgConnection, &[T]) -> Result<Vec<Result<A, Refusal>>>,
) -> Vec<(usize, Result<A, Refusal>)> {
    if batch.is_empty() {
        return Vec::new();
    }
    let (places, requests): (Vec<usize>, Vec<T>) = batch.into_iter().unzip();
    let answers = stage.commits(async |tx| door(tx, &requests).await).await.unwrap();
    places.into_iter().zip(answers).collect()
}

fn tell<A>(answers: &mut [Answers], told: Vec<(usize, Result<A, Refusal>)>, read: impl Fn(A) -> (bool, i64)) {
    for (place, answer) in told {
        answers[place].push(answer.map(&read));
    }
}
