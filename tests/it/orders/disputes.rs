//! Which disputes have to be answered, and by when.

use atlas::orders::disputes::{decided, open};
use atlas::people::roles::Support;
use domain::{DisputeState, Money};
use sqlx::PgPool;
use time::Duration;

use crate::stage::boss::admin;
use crate::stage::{Stage, dispute};

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn open_disputes_come_by_their_deadline_and_decided_ones_after(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let support = Support::prove(admin(&stage, "boss").await.0.person().clone()).unwrap();
    let ana = stage.buyer("ana").await;
    let states = [DisputeState::Open, DisputeState::Inquiry, DisputeState::Won, DisputeState::Open];
    for (nth, state) in states.into_iter().enumerate() {
        let order = stage.starts_checkout(&ana, "starter").await;
        stage.pays(&order, &format!("pay_{nth}")).await;
        let mut facts = dispute(&format!("dp_{nth}"), &format!("pay_{nth}"), state);
        // The last one has no deadline.
        facts.respond_by = [5, 2, 1].get(nth).map(|days| stage.ctx.now() + Duration::days(*days));
        stage.delivers(&stage.dispute_webhook(&format!("evt_{nth}"), &facts)).await.unwrap();
    }
    let ids = |disputes: Vec<atlas::orders::disputes::Listed>| {
        disputes.into_iter().map(|dispute| (dispute.id, dispute.amount)).collect::<Vec<_>>()
    };
    let all = Some(Money::usd(750));
    let expected = ["dp_1", "dp_0", "dp_3"].map(|id| (id.to_owned(), all));
    assert_eq!(ids(open(&stage.ctx.db, &support).await.unwrap()), expected);
    assert_eq!(ids(decided(&stage.ctx.db, &support).await.unwrap()), [("dp_2".to_owned(), all)]);
    let lost = dispute("dp_1", "pay_1", DisputeState::Lost);
    stage.advance(Duration::minutes(1));
    stage.delivers(&stage.dispute_webhook("evt_lost", &lost)).await.unwrap();
    assert_eq!(open(&stage.ctx.db, &support).await.unwrap().len(), 2);
    assert_eq!(decided(&stage.ctx.db, &support).await.unwrap()[0].state, DisputeState::Lost);
}
