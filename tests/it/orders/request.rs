//! Requesting a plan by agreement.

use atlas::orders::request::{NOTE_LENGTH_MAX, Note, submit};
use atlas::orders::{FormKey, list, page};
use atlas::people::SignedIn;
use atlas::{Refusal, Result};
use domain::{OrderId, OrderState, Price, Provider};
use futures::future::join_all;
use sqlx::PgPool;

use crate::stage::{Stage, refusal};

async fn asks_for(stage: &Stage, buyer: &SignedIn, plan: &str, note: &str, key: &FormKey) -> Result<OrderId> {
    submit(&stage.ctx, buyer, stage.plan(plan).await, Note::parse("note", note).unwrap(), key.clone()).await
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_request_waits_for_an_admin_with_its_note(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let note = " Für das ganze Team:\r\n\t12 Leute 🎉 ";
    let order = asks_for(&stage, &ana, "enterprise", note, &FormKey::fresh()).await.unwrap();

    let page = page::load(&stage.ctx.db, &ana, order).await.unwrap();
    assert_eq!((page.state, page.provider, page.price), (OrderState::Requested, Provider::Manual, Price::ByAgreement));
    assert_eq!(page.note.as_deref(), Some("Für das ganze Team:\n\t12 Leute 🎉"));
    assert_eq!((page.credits.get(), page.available.get()), (100_000, 0));
    assert!(stage.provider.requests().is_empty());
    let unfinished = list::unfinished(&stage.ctx.db, &ana).await.unwrap();
    assert_eq!(unfinished.iter().map(|listed| listed.id).collect::<Vec<_>>(), [order]);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn one_request_form_sent_at_once_is_one_request(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let key = FormKey::fresh();
    let orders = join_all((0..20).map(|_| asks_for(&stage, &ana, "enterprise", "", &key))).await;
    let orders: Vec<OrderId> = orders.into_iter().map(Result::unwrap).collect();
    assert!(orders.iter().all(|order| *order == orders[0]));
    assert_eq!(stage.count("select count(*) from credit_orders where note is null").await, 1);
    assert_eq!(refusal(asks_for(&stage, &ana, "starter", "", &key).await), Refusal::FormUsedForAnotherPlan);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn only_plans_by_agreement_are_requested(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    assert_eq!(refusal(asks_for(&stage, &ana, "starter", "", &FormKey::fresh()).await), Refusal::PlanHasAPrice);
    stage.sells("enterprise", false).await;
    assert_eq!(refusal(asks_for(&stage, &ana, "enterprise", "", &FormKey::fresh()).await), Refusal::PlanNotOnSale);
    assert_eq!(stage.count("select count(*) from credit_orders").await, 0);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_longest_note_of_wide_characters_fits(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let longest = "🎉".repeat(NOTE_LENGTH_MAX);
    let order = asks_for(&stage, &ana, "enterprise", &longest, &FormKey::fresh()).await.unwrap();
    assert_eq!(page::load(&stage.ctx.db, &ana, order).await.unwrap().note, Some(longest));
}

#[test]
fn a_note_is_at_most_2000_characters_and_has_no_control_characters() {
    for bad in
        ["a".repeat(2_001), "zero\0".to_owned(), "bell\u{7}".to_owned(), "\u{1b}[31m".to_owned(), "x".repeat(10_000)]
    {
        assert!(Note::parse("note", &bad).unwrap_err().of("note").is_some(), "{bad:.20}");
    }
    assert!(Note::parse("note", &format!("  {}\r\n", "a".repeat(2_000))).is_ok(), "what is trimmed does not count");
}
