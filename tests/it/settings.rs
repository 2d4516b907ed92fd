//! Stopping payments, ending sessions, and finding out what a key did: what an operator needs when it happens.

use atlas::orders::FormKey;
use atlas::orders::checkout::{Started, start};
use atlas::people::Role;
use atlas::people::sessions::{Ending, end_of};
use atlas::plans::shelf::Shelf;
use atlas::settings::{Message, payments_stopped, start_payments, stop_payments};
use atlas::{Error, Refusal};
use sqlx::PgPool;

use crate::stage::{OPERATOR, Stage, refusal};

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn while_payments_are_stopped_no_checkout_opens_and_webhooks_go_on(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let open = stage.starts_checkout(&ana, "starter").await;
    let message = Message::parse("message", " We are moving. Back at 14:00 UTC. ").unwrap();
    stop_payments(&stage.ctx, &OPERATOR, &message).await.unwrap();
    assert_eq!(
        payments_stopped(&stage.ctx.db).await.unwrap().map(|stopped| stopped.message).as_deref(),
        Some("We are moving. Back at 14:00 UTC.")
    );
    assert_eq!(
        Shelf::default().look(&stage.ctx.db).await.unwrap().switches.stopped.map(|stopped| stopped.message).as_deref(),
        Some("We are moving. Back at 14:00 UTC.")
    );
    let plan = stage.plan("starter").await;
    let before = stage.count("select count(*) from credit_orders").await;
    assert_eq!(refusal(start(&stage.ctx, &ana, plan, FormKey::fresh()).await), Refusal::PaymentsAreStopped);
    assert_eq!(stage.count("select count(*) from credit_orders").await, before, "nothing was written down");

    stage.pays(&open, "pay_1").await;
    assert!(stage.posted(&ana).await > 0, "what was under way is booked");
    start_payments(&stage.ctx, &OPERATOR).await.unwrap();
    assert!(matches!(start_payments(&stage.ctx, &OPERATOR).await, Err(Error::NotFound)));
    assert!(matches!(start(&stage.ctx, &ana, plan, FormKey::fresh()).await.unwrap(), Started::Checkout(_)));
    let deeds: Vec<String> =
        sqlx::query_scalar("select deed from audit_entries order by number").fetch_all(&stage.owner).await.unwrap();
    assert_eq!(deeds, ["payments_stopped", "payments_started"]);
    for bad in ["", "  ", "a\nb", &"x".repeat(301)] {
        assert!(Message::parse("message", bad).is_err(), "{bad:?}");
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn sessions_end_for_one_for_a_role_and_for_all(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let mut people = Vec::new();
    for (place, name) in ["ana", "ben", "cyd", "dan"].into_iter().enumerate() {
        let person = stage.buyer(name).await;
        sqlx::query("insert into sessions (id_hash, person_id, data, expires_at) values (sha256($1), $2, '{}', now())")
            .bind(vec![u8::try_from(place).unwrap()])
            .bind(person.id())
            .execute(&stage.ctx.db)
            .await
            .unwrap();
        people.push(person);
    }
    sqlx::query("update user_profiles set role = 'admin' where name = 'ben'").execute(&stage.owner).await.unwrap();
    let ends = async |which| end_of(&stage.ctx, &OPERATOR, which).await.unwrap();
    assert_eq!(ends(Ending::Person(people[0].id())).await, 1);
    assert_eq!(ends(Ending::Role(Role::Admin)).await, 1);
    assert_eq!(stage.count("select count(*) from sessions").await, 2);
    assert_eq!(ends(Ending::All).await, 2);
    assert_eq!(ends(Ending::All).await, 0);
    assert_eq!(stage.count("select count(*) from audit_entries where deed = 'sessions_ended'").await, 4);
}
