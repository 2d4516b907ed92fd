//! A price per currency: what a version says it says for ever, a buyer pays in the one they chose, and in no other.

use atlas::audit::{Origin, Reason};
use atlas::events::{PaymentFacts, Received, RefundFacts};
use atlas::figures::overview::overview;
use atlas::figures::period::{Compare, Span, Wanted};
use atlas::figures::zone::Zone;
use atlas::orders::checkout::{Started, start};
use atlas::orders::request::{Note, submit};
use atlas::orders::{Choice, FormKey, page};
use atlas::people::SignedIn;
use atlas::people::roles::Support;
use atlas::plans::catalogue::{catalogue, currencies, find};
use atlas::plans::desk;
use atlas::plans::prices::{TypedPrice, written};
use atlas::plans::revise::{Edit, Revised, revise};
use atlas::plans::terms::Typed;
use atlas::settings::rollout::set_default;
use atlas::{Refusal, Result, ids};
use domain::{Currency, Money, OrderState, PaymentState, PlanId, Price, Provider, RefundState};
use futures::future::join_all;
use sqlx::{PgPool, PgTransaction};

use super::{TYPED, terms};
use crate::stage::boss::{Boss, admin};
use crate::stage::{OPERATOR, Stage, refund, refusal};

const STARTER: Typed<'static> = Typed { name: "Starter", credits: "5000", price: "7.50", ..TYPED };

fn money(minor: i64, code: &str) -> Money {
    Money::new(minor, code.parse().unwrap())
}

fn rows(prices: &[(&str, &str)]) -> Vec<TypedPrice> {
    let row = |(price, code): &(&str, &str)| TypedPrice { price: (*price).to_owned(), currency: (*code).to_owned() };
    prices.iter().map(row).collect()
}

async fn edits(stage: &Stage, boss: &Boss, revision: i32, prices: &[(&str, &str)]) -> Result<Revised> {
    let terms = terms(&Typed { other_prices: &rows(prices), ..STARTER });
    let edit = Edit { plan: stage.plan("starter").await, revision, terms };
    revise(&stage.ctx, &boss.0, &boss.1, &Origin::NONE, &edit, &Reason::parse("reason", "Abroad").unwrap()).await
}

/// Starter for $7.50, €6.90 and ¥1,150.
async fn shop(pool: PgPool) -> (Stage, Boss) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    assert_eq!(edits(&stage, &boss, 1, &[("1150", "JPY"), ("6.90", "EUR")]).await.unwrap(), Revised::Saved(2));
    (stage, boss)
}

async fn chooses(stage: &Stage, code: &str) -> Choice {
    Choice { plan: stage.plan("starter").await, currency: Some(code.parse().unwrap()) }
}

async fn buys(stage: &Stage, buyer: &SignedIn, code: &str, key: &FormKey) -> Result<Started> {
    start(&stage.ctx, buyer, chooses(stage, code).await, key.clone()).await
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn each_version_keeps_its_own_prices_and_the_audit_tells_them(pool: PgPool) {
    let (stage, boss) = shop(pool).await;
    let plan = stage.plan("starter").await;
    let offer = find(&stage.ctx.db, plan).await.unwrap().unwrap();
    assert_eq!(offer.prices().collect::<Vec<_>>(), [Money::usd(750), money(690, "eur"), money(1150, "jpy")]);
    assert_eq!(
        (offer.price_in("jpy".parse().unwrap()), offer.price_in("gbp".parse().unwrap())),
        (Some(money(1150, "jpy")), None)
    );
    let offers = catalogue(&stage.ctx.db).await.unwrap();
    let codes: Vec<String> = currencies(&offers).into_iter().map(Currency::code).collect();
    assert_eq!(codes, ["USD", "EUR", "JPY"]);
    assert_eq!(currencies(&offers[1..]), [], "where each has one, nobody has to choose");

    assert_eq!(edits(&stage, &boss, 2, &[("6.90", "eur"), ("1150", "jpy")]).await.unwrap(), Revised::Unchanged);
    assert_eq!(edits(&stage, &boss, 2, &[("7.10", "eur")]).await.unwrap(), Revised::Saved(3));
    let versions = desk::versions(&stage.ctx.db, &boss.0, plan).await.unwrap();
    let told: Vec<String> = versions.iter().map(|version| written(&version.terms.other_prices)).collect();
    assert_eq!(told, ["7.10 EUR", "6.90 EUR, 1150 JPY", ""]);
    assert_eq!(desk::open(&stage.ctx.db, &boss.0, plan).await.unwrap().terms, versions[0].terms);
    let noted: serde_json::Value = sqlx::query_scalar(
        "select change->'other_prices' from audit_entries where deed = 'plan_revised' order by number desc limit 1",
    )
    .fetch_one(&stage.owner)
    .await
    .unwrap();
    let noted = noted.to_string();
    assert!(noted.contains("6.90 EUR, 1150 JPY") && noted.contains("7.10 EUR"), "{noted}");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn of_two_admins_who_price_abroad_the_second_is_refused(pool: PgPool) {
    let (stage, boss) = shop(pool).await;
    let other = admin(&stage, "other").await;
    assert_eq!(edits(&stage, &boss, 2, &[("7.10", "EUR")]).await.unwrap(), Revised::Saved(3));
    assert_eq!(refusal(edits(&stage, &other, 2, &[("9.90", "EUR")]).await), Refusal::PlanChangedMeanwhile);
    let offer = find(&stage.ctx.db, stage.plan("starter").await).await.unwrap().unwrap();
    assert_eq!(offer.other_prices, [money(710, "eur")]);
}

/// A version of Starter, not yet committed, which costs that.
async fn version(stage: &Stage, tx: &mut PgTransaction<'_>, price: Option<(i64, &str)>) -> uuid::Uuid {
    let id = ids::fresh();
    sqlx::query("insert into plan_versions (id, plan_id, version, name, credits, price_minor, currency) values ($1, $2, 9, 'S', 1, $3, $4)")
        .bind(id)
        .bind(stage.plan("starter").await)
        .bind(price.map(|(minor, _)| minor))
        .bind(price.map(|(_, code)| code))
        .execute(&mut **tx)
        .await
        .unwrap();
    id
}

/// The SQLSTATE with which these are refused; none: they are taken.
async fn adds(tx: &mut PgTransaction<'_>, version: uuid::Uuid, codes: &[&str], minor: i64) -> Option<String> {
    let codes: Vec<String> = codes.iter().map(|code| (*code).to_owned()).collect();
    let sql = "insert into plan_version_prices (version_id, currency, price_minor) select $1, unnest($2::text[]), $3";
    let added = sqlx::query(sql).bind(version).bind(codes).bind(minor).execute(&mut **tx).await;
    added.err().map(|error| error.as_database_error().unwrap().code().unwrap().into_owned())
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_database_keeps_prices_as_they_were_and_only_good_ones(pool: PgPool) {
    let (stage, _) = shop(pool).await;
    for sql in [
        "update plan_version_prices set price_minor = 1",
        "delete from plan_version_prices",
        "truncate plan_version_prices",
        "insert into plan_version_prices select id, 'gbp', 500 from plan_versions where price_minor is not null",
    ] {
        for db in [&stage.ctx.db, &stage.owner] {
            let error = sqlx::query(sql).execute(db).await.unwrap_err();
            assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("42501"), "{sql}");
        }
    }
    let codes = ["eur", "jpy", "gbp", "chf", "sek", "nok", "dkk", "pln", "czk", "huf", "ron"];
    let main = Some((750, "usd"));
    for (price, codes, minor, refused) in [
        (main, &codes[..10], 1_000, None),
        (main, &codes[..], 1_000, Some("23514")),
        (main, &["usd"][..], 1_000, Some("23514")),
        (main, &["EUR"][..], 1_000, Some("23514")),
        (main, &["eur", "eur"][..], 1_000, Some("23505")),
        (main, &["eur"][..], 0, Some("23514")),
        (main, &["eur"][..], 1_000_000_000_001, Some("23514")),
        (None, &["eur"][..], 1_000, Some("23514")),
    ] {
        let mut tx = stage.ctx.db.begin().await.unwrap();
        let id = version(&stage, &mut tx, price).await;
        assert_eq!(adds(&mut tx, id, codes, minor).await.as_deref(), refused, "{price:?} {codes:?} {minor}");
    }
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

    let dollars = refund("rf_1", "pay_9", 345, RefundState::Succeeded);
    let told = stage.delivers(&stage.refund_webhook("evt_r1", &dollars)).await.unwrap();
    assert_eq!((told, stage.posted(&ana).await), (Received::Quarantined("refund_currency"), 5_000));
    let half = RefundFacts { amount: money(345, "eur"), ..refund("rf_2", "pay_9", 0, RefundState::Succeeded) };
    assert_eq!(stage.delivers(&stage.refund_webhook("evt_r2", &half)).await.unwrap(), Received::Applied);
    assert_eq!(stage.posted(&ana).await, 2_500);
    let versions = desk::versions(&stage.ctx.db, &boss.0, stage.plan("starter").await).await.unwrap();
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
        atlas::figures::fold::fold_all(&stage.ctx).await.unwrap();
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_plan_by_agreement_has_no_other_price_either(pool: PgPool) {
    let (stage, boss) = shop(pool).await;
    let plan: PlanId = stage.plan("starter").await;
    let edit = Edit { plan, revision: 2, terms: terms(&Typed { sold: "agreement", price: "", ..STARTER }) };
    revise(&stage.ctx, &boss.0, &boss.1, &Origin::NONE, &edit, &Reason::parse("reason", "By hand").unwrap())
        .await
        .unwrap();
    let ana = stage.buyer("ana").await;
    assert_eq!(refusal(buys(&stage, &ana, "eur", &FormKey::fresh()).await), Refusal::PlanIsByAgreement);
    assert_eq!(find(&stage.ctx.db, plan).await.unwrap().unwrap().prices().count(), 0);
}
