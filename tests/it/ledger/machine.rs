//! Any sequence of the kernel's operations does what a plain model of it does, step by step: short ones, shrunk when they
//! fail (`PROPTEST_CASES` says how many), and long ones by their number.

mod drive;
mod model;
mod steps;
mod world;

use std::ops::Range;

use sqlx::PgPool;

use self::drive::Worlds;
use self::model::{Answers, Model};
use self::steps::{Step, numbered, sequence};
use crate::cases;
use crate::stage::Stage;

/// Steps in one short sequence, at most.
const LONGEST: usize = 60;
/// Steps in each long one.
const LONG: usize = 500;
/// Long sequences abreast: as many as share their batches.
const ABREAST: usize = 250;
/// Answers are compared at each step, wallets and lots as often as this.
const LOOKS_EVERY: usize = 25;

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_kernel_behaves_like_a_plain_model_of_it(pool: PgPool) {
    let stage = Stage::new(pool).await;
    cases::for_all(24, sequence(LONGEST), async |steps| {
        let mut world = Worlds::new(&stage, 1).await;
        let mut model = Model::default();
        for (place, step) in steps.iter().enumerate() {
            let (expected, answered) = (model.apply(step), world.carry_out(std::slice::from_ref(step)).await.remove(0));
            if expected != answered {
                return Err(format!("step {place}: {answered:?}, but the model says {expected:?}"));
            }
            let (expected, stands) = (model.stands(), world.stands().await.remove(0));
            if expected != stands {
                return Err(format!("after step {place}: {stands:?}, but the model has {expected:?}"));
            }
        }
        let findings = stage.findings().await;
        if findings.is_empty() { Ok(()) } else { Err(format!("{findings:?}")) }
    })
    .await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn long_sequences_abreast_do_too(pool: PgPool) {
    let stage = Stage::new(pool).await;
    sequences(&stage, 0..20, 100).await;
    stage.audits_clean().await;
}

// In two halves, for two processors.
#[sqlx::test(migrator = "atlas::MIGRATOR")]
#[ignore = "many minutes; run by `make sequences`"]
async fn sequences_of_500_steps_from_0_to_5_000_do_too(pool: PgPool) {
    all_sequences(pool, 0..5_000).await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
#[ignore = "many minutes; run by `make sequences`"]
async fn sequences_of_500_steps_from_5_000_to_10_000_do_too(pool: PgPool) {
    all_sequences(pool, 5_000..10_000).await;
}

async fn all_sequences(pool: PgPool, numbers: Range<u64>) {
    let stage = Stage::new(pool).await;
    for first in numbers.clone().step_by(ABREAST) {
        let end = numbers.end.min(first + ABREAST as u64);
        sequences(&stage, first..end, LONG).await;
        println!("sequences {first} to {end} of {LONG} steps");
    }
    stage.audits_clean().await;
}

async fn sequences(stage: &Stage, numbers: Range<u64>, length: usize) {
    let mut scripts: Vec<_> = numbers.clone().map(|number| numbered(number, length)).collect();
    let mut models: Vec<Model> = scripts.iter().map(|_| Model::default()).collect();
    let mut worlds = Worlds::new(stage, scripts.len()).await;
    for place in 1..=length {
        let steps: Vec<Step> = scripts.iter_mut().map(|script| script.next().unwrap()).collect();
        let expected: Vec<Answers> = models.iter_mut().zip(&steps).map(|(model, step)| model.apply(step)).collect();
        let answered = worlds.carry_out(&steps).await;
        if matches!(steps[0], Step::Expire) {
            assert_eq!(lost(&answered), lost(&expected), "sequences {numbers:?}, step {place}");
        } else {
            for ((number, answered), expected) in numbers.clone().zip(&answered).zip(&expected) {
                assert_eq!(answered, expected, "sequence {number}, step {place}");
            }
        }
        if place % LOOKS_EVERY == 0 || place == length {
            for ((number, stands), model) in numbers.clone().zip(worlds.stands().await).zip(&models) {
                assert_eq!(stands, model.stands(), "sequence {number}, after step {place}");
            }
        }
    }
}

/// What a sweep took from everybody.
fn lost(answers: &[Answers]) -> i64 {
    answers.iter().flatten().map(|answer| answer.unwrap().1).sum()
}
