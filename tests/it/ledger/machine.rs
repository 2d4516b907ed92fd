//! Any sequence of the kernel's operations does what a plain model of it does, step by step. `PROPTEST_CASES` says how many
//! sequences.

mod drive;
mod model;
mod steps;

use proptest::prelude::*;
use sqlx::PgPool;

use self::drive::World;
use self::model::Model;
use self::steps::step;
use crate::cases;
use crate::stage::Stage;

/// Steps in one sequence, at most.
const LONGEST: usize = 60;

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_kernel_behaves_like_a_plain_model_of_it(pool: PgPool) {
    let stage = Stage::new(pool).await;
    cases::for_all(24, prop::collection::vec(step(), 1..LONGEST), async |steps| {
        let mut world = World::new(&stage).await;
        let mut model = Model::default();
        for (place, step) in steps.iter().enumerate() {
            let (expected, answered) = (model.apply(step), world.carry_out(step).await);
            if expected != answered {
                return Err(format!("step {place}: {answered:?}, but the model says {expected:?}"));
            }
            let (expected, stands) = (model.stands(), world.stands().await);
            if expected != stands {
                return Err(format!("after step {place}: {stands:?}, but the model has {expected:?}"));
            }
        }
        let findings = stage.findings().await;
        if findings.is_empty() { Ok(()) } else { Err(format!("{findings:?}")) }
    })
    .await;
}
