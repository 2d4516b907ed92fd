//! Guessing passwords, and what a browser that is known may do.

use atlas::people::devices::{DeviceToken, remember, sweep};
use futures::future::{join, join_all};
use time::Duration;

use super::*;

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_flood_of_sign_ins_is_asked_to_come_again(pool: PgPool) {
    let _alone = HASHING.write().await;
    let stage = Stage::new(pool).await;
    let emails: Vec<String> = (0..100).map(|n| format!("nobody-{n}@example.com")).collect();
    let answers = join_all(emails.iter().map(|email| signs_in(&stage, email, GOOD))).await;
    let refusals: Vec<Refusal> = answers.into_iter().map(refusal).collect();
    let busy = refusals.iter().filter(|refusal| **refusal == Refusal::TooBusy).count();
    assert!((1..100 - 20).contains(&busy), "{busy} were turned away");
    assert!(refusals.iter().all(|refusal| matches!(refusal, Refusal::TooBusy | Refusal::WrongCredentials)));
    assert_eq!(
        refusal(signs_in(&stage, "nobody@example.com", GOOD).await),
        Refusal::WrongCredentials,
        "all is calm again"
    );
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t79_a_flood_of_strangers_keeps_nobody_out_who_was_here_before(pool: PgPool) {
    let _alone = HASHING.write().await;
    let stage = Stage::new(pool).await;
    let ana = signs_up(&stage, "ana@example.com").await;
    let knock = Knock { device: Some(remember(&stage.ctx, &ana, None).await.unwrap()), ..from_elsewhere() };
    let emails: Vec<String> = (0..100).map(|n| format!("nobody-{n}@example.com")).collect();
    let buckets = async || stage.count("select count(*) from rate_limits").await;
    let before = buckets().await;
    let flood = join_all(emails.iter().map(|email| signs_in(&stage, email, GOOD)));
    let (flood, hers) = join(flood, enters(&stage, "ana@example.com", GOOD, &knock)).await;
    let looked_at = flood.into_iter().filter(|answer| !matches!(answer, Err(Error::Refused(Refusal::TooBusy)))).count();
    assert!(looked_at < 100, "it was no flood");
    assert_eq!(hers.unwrap().id(), ana.id());
    let counted = i64::try_from(2 * looked_at + 1).unwrap();
    assert_eq!(buckets().await, before + counted, "whoever was turned away was not even counted");
}

/// The seconds to wait, if it was refused for coming too often.
fn wait(result: &Result<SignedIn>) -> Option<u32> {
    match result {
        Err(Error::Refused(Refusal::TooManyTries { seconds })) => Some(*seconds),
        _ => None,
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t46_guessing_from_one_address_is_slowed_whoever_is_guessed(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    signs_up(&stage, "ana@example.com").await;
    let here = from_elsewhere();
    let from_here = async |email: &str, text: &str| enters(&stage, email, text, &here).await;
    for email in ["ana@example.com", "nobody@example.com", "ben@example.com"] {
        assert_eq!(refusal(from_here(email, "wrong").await), Refusal::WrongCredentials);
    }
    assert_eq!(wait(&from_here("ana@example.com", GOOD).await), Some(21), "even the right one");
    stage.advance(Duration::seconds(21));
    assert!(from_here("ana@example.com", GOOD).await.is_ok());
    assert!(from_here("ana@example.com", GOOD).await.is_ok(), "what succeeds does not count");
    assert_eq!(refusal(from_here("ana@example.com", "wrong").await), Refusal::WrongCredentials);
    assert!(wait(&from_here("ana@example.com", "wrong").await).is_some());
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn t46_guessing_one_account_from_everywhere_is_slowed_and_its_owner_gets_in(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let ana = signs_up(&stage, "ana@example.com").await;
    let token = remember(&stage.ctx, &ana, None).await.unwrap();
    for email in ["ana@example.com", "nobody@example.com"] {
        for _ in 0..10 {
            assert_eq!(refusal(signs_in(&stage, email, "wrong").await), Refusal::WrongCredentials);
        }
        // Nobody learns from it whether there is such an account.
        assert_eq!(wait(&signs_in(&stage, email, GOOD).await), Some(361), "{email}");
    }
    let with = |device: DeviceToken| Knock { device: Some(device), ..from_elsewhere() };
    assert!(enters(&stage, "ana@example.com", GOOD, &with(token.clone())).await.is_ok());
    let foreign = DeviceToken::parse(&"a".repeat(43)).unwrap();
    assert!(wait(&enters(&stage, "ana@example.com", GOOD, &with(foreign)).await).is_some());
    // A device is known to be hers, not to be good for anybody.
    assert!(wait(&enters(&stage, "nobody@example.com", GOOD, &with(token)).await).is_some());
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_device_keeps_its_token_and_a_token_of_nobodys_is_replaced(pool: PgPool) {
    let _shared = HASHING.read().await;
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    let token = remember(&stage.ctx, &ana, None).await.unwrap();
    assert_eq!(remember(&stage.ctx, &ana, Some(token.clone())).await.unwrap(), token);
    assert_eq!(remember(&stage.ctx, &ben, Some(token.clone())).await.unwrap(), token, "two people, one browser");
    let planted = DeviceToken::parse(&"a".repeat(43)).unwrap();
    assert_ne!(remember(&stage.ctx, &ana, Some(planted.clone())).await.unwrap(), planted);
    assert_eq!(stage.count("select count(*) from known_devices").await, 3);
    let stored: String = sqlx::query_scalar("select string_agg(known_devices::text, ' ') from known_devices")
        .fetch_one(&stage.owner)
        .await
        .unwrap();
    assert!(!stored.contains(token.as_str()));
    stage.advance(Duration::days(364));
    remember(&stage.ctx, &ben, Some(token)).await.unwrap();
    stage.advance(Duration::days(2));
    sweep(&stage.ctx).await.unwrap();
    assert_eq!(stage.count("select count(*) from known_devices").await, 1, "what nobody used for a year is forgotten");
    for bad in ["", "short", &"é".repeat(43), &format!("{}\n", "a".repeat(43))] {
        assert!(DeviceToken::parse(bad).is_none(), "{bad:?}");
    }
}
