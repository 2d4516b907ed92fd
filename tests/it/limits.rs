//! Token buckets: what fits, what does not, and when it fits again.

use atlas::limits::{Limit, give_back, sweep, take, take_all};
use atlas::{Error, Refusal};
use futures::future::join_all;
use sqlx::PgPool;
use time::Duration;

use crate::stage::Stage;

const THREE: Limit = Limit::new("three", 3, Duration::seconds(10));

/// The seconds to wait; none: it was let through.
async fn tries(stage: &Stage, of: &str) -> Option<u32> {
    match take(&stage.ctx, &THREE, of).await {
        Ok(()) => None,
        Err(Error::Refused(Refusal::TooManyTries { seconds })) => Some(seconds),
        Err(other) => panic!("{other:?}"),
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_burst_fits_and_then_one_after_each_while(pool: PgPool) {
    let stage = Stage::new(pool).await;
    for _ in 0..3 {
        assert_eq!(tries(&stage, "ana").await, None);
    }
    assert_eq!(tries(&stage, "ana").await, Some(11));
    assert_eq!(tries(&stage, "ben").await, None, "others have their own");
    stage.advance(Duration::seconds(9));
    assert_eq!(tries(&stage, "ana").await, Some(2), "asking in vain costs nothing");
    stage.advance(Duration::seconds(2));
    assert_eq!(tries(&stage, "ana").await, None);
    assert!(tries(&stage, "ana").await.is_some());
    stage.advance(Duration::hours(1));
    for _ in 0..3 {
        assert_eq!(tries(&stage, "ana").await, None, "never more than the burst is saved up");
    }
    assert!(tries(&stage, "ana").await.is_some());
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_is_given_back_can_be_taken_again(pool: PgPool) {
    let stage = Stage::new(pool).await;
    for _ in 0..20 {
        assert_eq!(tries(&stage, "ana").await, None);
        give_back(&stage.ctx.db, &THREE, "ana").await.unwrap();
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn several_are_taken_together_or_not_at_all(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let one = Limit::new("one", 1, Duration::hours(1));
    take_all(&stage.ctx, &[(&THREE, "ana"), (&one, "ana")]).await.unwrap();
    for _ in 0..5 {
        assert!(take_all(&stage.ctx, &[(&THREE, "ana"), (&one, "ana")]).await.is_err());
    }
    assert_eq!((tries(&stage, "ana").await, tries(&stage, "ana").await), (None, None), "two of three are left");
    assert!(tries(&stage, "ana").await.is_some());
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_crowd_at_once_gets_the_burst_and_no_more(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let answers = join_all((0..30).map(|_| tries(&stage, "ana"))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_none()).count(), 3);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn full_buckets_are_forgotten_and_others_kept(pool: PgPool) {
    let stage = Stage::new(pool).await;
    tries(&stage, "ana").await;
    stage.advance(Duration::seconds(9));
    tries(&stage, "ben").await;
    stage.advance(Duration::seconds(2));
    sweep(&stage.ctx).await.unwrap();
    assert_eq!(stage.count("select count(*) from rate_limits").await, 1);
}
