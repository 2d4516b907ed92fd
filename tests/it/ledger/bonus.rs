//! A bonus in the kernel: one for each payment, whatever the key, with levels of its own.

use atlas::Refusal;
use atlas::ledger::grant::{Grant, grant_batch};
use atlas::ledger::take_back::{Part, TakeBack, take_back_batch};
use domain::Credits;
use sqlx::PgPool;

use crate::stage::{Stage, level, refusal};

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_second_bonus_is_refused_under_any_key(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, bob) = (stage.buyer("ana").await, stage.buyer("bob").await);
    let bought = stage.purchase(&ana, "pay_1", 100).await;
    sqlx::query("update credit_orders set bonus_credits = 30").execute(&stage.owner).await.unwrap();
    stage.grants(&bought).await.unwrap();
    stage.settled(vec!["pay_1".to_owned()]).await;
    let found: Vec<String> = stage.findings().await.into_iter().map(|finding| finding.invariant).collect();
    assert_eq!(found, ["what was paid or approved gave its order's bonus once, and nothing else did"], "it is missing");

    let bonus = bought.with_bonus(Credits::new(30), None, "Bonus".to_owned());
    assert!(!stage.grants(&bonus).await.unwrap().replayed);
    stage.audits_clean().await;
    assert!(stage.grants(&bonus).await.unwrap().replayed, "the first answer");
    let other = |change: &dyn Fn(&mut Grant)| {
        let mut other = bonus.clone();
        change(&mut other);
        other
    };
    for second in [other(&|grant| grant.credits = Credits::new(31)), other(&|grant| grant.to = bob.id())] {
        assert_eq!(refusal(stage.grants(&second).await), Refusal::KeyUsedForAnotherRequest);
    }
    for second in [
        other(&|grant| grant.key.scope = "whop:payment".to_owned()),
        other(&|grant| grant.key.key = "pay_2".to_owned()),
        other(&|grant| grant.paid = None),
        other(&|grant| grant.order = None).with_bonus(Credits::new(1), None, "Bonus".to_owned()),
    ] {
        let asked = std::slice::from_ref(&second);
        let said = stage.commits(async |tx| grant_batch(tx, asked).await).await.unwrap().remove(0);
        assert!(said.is_err(), "{second:?}");
    }
    assert_eq!(stage.lots(&ana).await, [(100, 0), (30, 0)]);
    // And past the functions the table itself refuses.
    let planted = "insert into credit_transactions (id, account_id, kind, scope, key, request_hash, net, balance_after, debt_after,
            last_seq, order_id, provider, payment_id, actor, description)
        select gen_random_uuid(), account_id, 'bonus', 'other', 'other', '', 30, 160, 0, last_seq + 1, order_id, provider, payment_id,
            'test', 'Again' from credit_transactions where kind = 'bonus'";
    let error = sqlx::query(planted).execute(&stage.owner).await.unwrap_err();
    assert_eq!(error.as_database_error().and_then(|error| error.constraint()), Some("credit_transactions_bonus_once"));
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn each_part_has_levels_of_its_own_and_none_beyond_what_it_gave(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let bought = stage.purchase(&ana, "pay_1", 100).await;
    sqlx::query("update credit_orders set bonus_credits = 30").execute(&stage.owner).await.unwrap();
    let both = [bought.clone(), bought.with_bonus(Credits::new(30), None, "Bonus".to_owned())];
    stage.commits(async |tx| grant_batch(tx, &both).await).await.unwrap();
    stage.settled(vec!["pay_1".to_owned()]).await;
    let takes = async |part, taken, frozen| {
        let level = TakeBack { part, ..level("pay_1", taken, frozen) };
        stage.commits(async |tx| take_back_batch(tx, &[level]).await).await.unwrap().remove(0)
    };
    for (taken, frozen) in [(31, 0), (0, 31), (20, 11), (-1, 0)] {
        assert_eq!(takes(Part::Bonus, taken, frozen).await, Err(Refusal::NotBookable));
    }
    takes(Part::Bonus, 10, 20).await.unwrap();
    takes(Part::Bought, 40, 60).await.unwrap();
    assert_eq!(stage.lots(&ana).await, [(60, 60), (20, 20)]);
    stage.audits_clean().await;
    assert!(takes(Part::Bonus, 10, 20).await.unwrap().unchanged);
    takes(Part::Bonus, 30, 0).await.unwrap();
    assert_eq!(stage.lots(&ana).await, [(60, 60), (0, 0)]);
    takes(Part::Bought, 0, 0).await.unwrap();
    assert_eq!(stage.lots(&ana).await, [(100, 0), (0, 0)]);
    stage.audits_clean().await;
    takes(Part::Bonus, 0, 0).await.unwrap();
    assert_eq!(stage.lots(&ana).await, [(100, 0), (30, 0)]);
    stage.audits_clean().await;
}
