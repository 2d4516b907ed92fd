//! Who chose a currency pays in it, and in no other.

use atlas::audit::Reason;
use atlas::events::{PaymentFacts, Received, RefundFacts};
use atlas::figures::fold::fold_all;
use atlas::figures::overview::overview;
use atlas::figures::period::{Compare, Span, Wanted};
use atlas::figures::zone::Zone;
use atlas::orders::checkout::{Started, start};
use atlas::orders::request::{Note, submit};
use atlas::orders::{Choice, FormKey, desk, export, page};
use atlas::people::SignedIn;
use atlas::people::roles::Support;
use atlas::plans;
use atlas::plans::revise::Revised;
use atlas::settings::rollout::set_default;
use atlas::{Refusal, Result};
use domain::{Money, OrderState, PaymentState, Price, Provider, RefundState};
use futures::future::join_all;
use sqlx::PgPool;

use crate::plans::currencies::{edits, money, shop};
use crate::stage::{OPERATOR, Stage, refund, refusal};

async fn chooses(stage: &Stage, code: &str) -> Choice {
    Choice { plan: stage.plan("starter").await, currency: Some(code.parse().unwrap()) }
}

async fn buys(stage: &Stage, buyer: &SignedIn, code: &str, key: &FormKey) -> Result<Started> {
    start(&stage.ctx, buyer, chooses(stage, code).await, key.clone()).await
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn who_chose_a_currency_is_charged_credited_and_refunded_in_it(pool: PgPool) {
    let (stage, boss) = shop(pool).await;
    let ana = stage.buyer("ana").await;
    buys(&stage, &ana, "eur", &FormKey::fresh()).await.unwrap();
    assert_eq!(stage.provider.requests().pop().unwrap().price, money(690, "eur"));
    let order = stage.order_of(&ana).await;
    assert_eq!(order.price, money(690, "eur"));

    // As many dollars are not as many euros, and the main price is not this order's.
    for (nth, wrong) in [money(690, "usd"), Money::usd(750), money(1150, "jpy")].into_iter().enumerate() {
        let facts = PaymentFacts {
            paid: Some(wrong),
            charged: Some(wrong),
            ..order.facts(&format!("pay_{nth}"), PaymentState::Succeeded)
        };
        let told = stage.delivers(&stage.payment_webhook(&format!("evt_{nth}"), &facts)).await.unwrap();
        assert_eq!((told, stage.posted(&ana).await), (Received::Quarantined("amount_mismatch"), 0), "{wrong:?}");
    }
    stage.pays(&order, "pay_9").await;
    assert_eq!((stage.page(&ana, &order).await.state, stage.posted(&ana).await), (OrderState::Paid, 5_000));

    let half = RefundFacts { amount: money(345, "eur"), ..refund("rf_1", "pay_9", 0, RefundState::Succeeded) };
    assert_eq!(stage.delivers(&stage.refund_webhook("evt_r1", &half)).await.unwrap(), Received::Applied);
    assert_eq!(stage.posted(&ana).await, 2_500);
    let dollars = refund("rf_2", "pay_9", 345, RefundState::Succeeded);
    let told = stage.delivers(&stage.refund_webhook("evt_r2", &dollars)).await.unwrap();
    assert_eq!((told, stage.posted(&ana).await), (Received::Quarantined("refund_currency"), 2_500));
    let versions = plans::desk::versions(&stage.ctx.db, &boss.0, stage.plan("starter").await).await.unwrap();
    assert_eq!(versions[0].sold, 1, "in whatever currency");
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_price_that_was_dropped_between_page_and_order_is_refused_and_changes_nothing(pool: PgPool) {
    let (stage, boss) = shop(pool).await;
    let ana = stage.buyer("ana").await;
    let (begun, later) = (FormKey::fresh(), FormKey::fresh());
    let first = buys(&stage, &ana, "jpy", &begun).await.unwrap();
    edits(&stage, &boss, 2, &[("7.10", "EUR")]).await.unwrap();
    let refused = refusal(buys(&stage, &ana, "jpy", &later).await);
    assert_eq!(refused, Refusal::PlanNotSoldIn { currency: "jpy".parse().unwrap() });
    assert!(refused.to_string().starts_with("This plan is not sold in JPY any more."), "{refused}");
    assert_eq!(stage.count("select count(*) from credit_orders").await, 1);
    assert_eq!(stage.provider.requests().len(), 1, "the provider was not asked");

    assert_eq!(buys(&stage, &ana, "jpy", &begun).await.unwrap(), first, "what was begun goes on");
    stage.pays(&stage.order_of(&ana).await, "pay_1").await;
    buys(&stage, &ana, "eur", &later).await.unwrap();
    assert_eq!(stage.provider.requests().pop().unwrap().price, money(710, "eur"), "as it is now");
    stage.audits_clean().await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_order_at_the_moment_of_an_edit_has_the_one_price_or_none(pool: PgPool) {
    let (stage, boss) = shop(pool).await;
    let mut buyers = Vec::new();
    for nth in 0..12 {
        buyers.push(stage.buyer(&format!("buyer{nth}")).await);
    }
    let orders = join_all(buyers.iter().map(async |buyer| buys(&stage, buyer, "eur", &FormKey::fresh()).await));
    let (edited, orders) = futures::join!(edits(&stage, &boss, 2, &[("1200", "JPY")]), orders);
    assert_eq!(edited.unwrap(), Revised::Saved(3));
    for order in &orders {
        assert!(
            matches!(order, Ok(Started::Checkout(_)) | Err(atlas::Error::Refused(Refusal::PlanNotSoldIn { .. }))),
            "{order:?}"
        );
    }
    let sold = orders.iter().filter(|order| order.is_ok()).count();
    let rows: Vec<(i64, String, i32)> = sqlx::query_as(
        "select o.price_minor, o.currency, version.version from credit_orders o join plan_versions version on version.id = o.plan_version_id",
    )
    .fetch_all(&stage.owner)
    .await
    .unwrap();
    assert_eq!(rows, vec![(690, "eur".to_owned(), 2); sold], "never a price of one version with another version");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_form_is_good_for_one_currency(pool: PgPool) {
    let (stage, _) = shop(pool).await;
    let (ana, key) = (stage.buyer("ana").await, FormKey::fresh());
    let both = join_all(["eur", "eur"].map(async |code| buys(&stage, &ana, code, &key).await)).await;
    let [Ok(one), Ok(other)] = both.as_slice() else { panic!("{both:?}") };
    assert_eq!(one, other);
    for code in ["usd", "jpy", "gbp"] {
        assert_eq!(refusal(buys(&stage, &ana, code, &key).await), Refusal::FormUsedForAnotherCurrency, "{code}");
    }
    let pro = Choice { plan: stage.plan("pro").await, currency: Some("eur".parse().unwrap()) };
    assert_eq!(refusal(start(&stage.ctx, &ana, pro, key.clone()).await), Refusal::FormUsedForAnotherPlan);
    assert_eq!(
        refusal(start(&stage.ctx, &ana, pro, FormKey::fresh()).await),
        Refusal::PlanNotSoldIn { currency: "eur".parse().unwrap() }
    );
    assert_eq!((stage.count("select count(*) from credit_orders").await, stage.provider.checkouts()), (1, 1));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn who_orders_by_request_asks_in_their_currency(pool: PgPool) {
    let (stage, _) = shop(pool).await;
    let (ana, key) = (stage.buyer("ana").await, FormKey::fresh());
    set_default(&stage.ctx, &OPERATOR, Provider::Manual, &Reason::parse("reason", "By hand").unwrap()).await.unwrap();
    let asks = async |code: &str, key: &FormKey| {
        submit(&stage.ctx, &ana, chooses(&stage, code).await, Note::parse("note", "").unwrap(), key.clone()).await
    };
    let asked = asks("jpy", &key).await.unwrap();
    assert_eq!(asks("jpy", &key).await.unwrap(), asked);
    assert_eq!(page::load(&stage.ctx.db, &ana, asked).await.unwrap().price, Price::Fixed(money(1150, "jpy")));
    assert_eq!(refusal(asks("eur", &key).await), Refusal::FormUsedForAnotherCurrency);
    assert_eq!(
        refusal(asks("gbp", &FormKey::fresh()).await),
        Refusal::PlanNotSoldIn { currency: "gbp".parse().unwrap() }
    );
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_figures_add_up_each_currency_by_itself(pool: PgPool) {
    let (stage, boss) = shop(pool).await;
    let ana = stage.buyer("ana").await;
    for (nth, code) in ["usd", "eur", "jpy", "eur"].into_iter().enumerate() {
        buys(&stage, &ana, code, &FormKey::fresh()).await.unwrap();
        stage.pays(&stage.order_of(&ana).await, &format!("pay_{nth}")).await;
    }
    let back = RefundFacts { amount: money(500, "jpy"), ..refund("rf_1", "pay_2", 0, RefundState::Succeeded) };
    stage.delivers(&stage.refund_webhook("evt_r", &back)).await.unwrap();
    let wanted = Wanted { span: Span::Days(2), zone: Zone::UTC, compare: Compare::Before };
    let by = Support::prove(boss.0.person().clone()).unwrap();
    for folded in [false, true] {
        let totals = overview(&stage.ctx, &by, wanted).await.unwrap().totals;
        assert_eq!(totals.revenue(), [money(1380, "eur"), money(1150, "jpy"), Money::usd(750)], "folded: {folded}");
        assert_eq!(totals.refunded(), [money(500, "jpy")]);
        fold_all(&stage.ctx).await.unwrap();
    }
    let (file, _) = export::piece(&stage.ctx.db, &boss.finance(), &desk::Wanted::default(), None).await.unwrap();
    for (amount, orders) in [("\"7.50\",\"USD\",", 1), ("\"6.90\",\"EUR\",", 2), ("\"1150\",\"JPY\",", 1)] {
        assert_eq!(file.matches(amount).count(), orders, "{file}");
    }
}
