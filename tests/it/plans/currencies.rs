//! A price per currency: what a version says it says for ever.

use atlas::audit::{Origin, Reason};
use atlas::orders::checkout::start;
use atlas::orders::{Choice, FormKey};
use atlas::plans::catalogue::{catalogue, currencies, find};
use atlas::plans::desk;
use atlas::plans::prices::{TypedPrice, written};
use atlas::plans::revise::{Edit, Revised, revise};
use atlas::plans::terms::Typed;
use atlas::{Refusal, Result, ids};
use domain::{Currency, Money, PlanId};
use sqlx::{PgPool, PgTransaction};

use super::{TYPED, terms};
use crate::stage::boss::{Boss, admin};
use crate::stage::{Stage, refusal};

const STARTER: Typed<'static> = Typed { name: "Starter", credits: "5000", price: "7.50", ..TYPED };

pub fn money(minor: i64, code: &str) -> Money {
    Money::new(minor, code.parse().unwrap())
}

fn rows(prices: &[(&str, &str)]) -> Vec<TypedPrice> {
    let row = |(price, code): &(&str, &str)| TypedPrice { price: (*price).to_owned(), currency: (*code).to_owned() };
    prices.iter().map(row).collect()
}

pub async fn edits(stage: &Stage, boss: &Boss, revision: i32, prices: &[(&str, &str)]) -> Result<Revised> {
    let terms = terms(&Typed { other_prices: &rows(prices), ..STARTER });
    let edit = Edit { plan: stage.plan("starter").await, revision, terms };
    revise(&stage.ctx, &boss.0, &boss.1, &Origin::NONE, &edit, &Reason::parse("reason", "Abroad").unwrap()).await
}

/// Starter for $7.50, €6.90 and ¥1,150.
pub async fn shop(pool: PgPool) -> (Stage, Boss) {
    let stage = Stage::new(pool).await;
    let boss = admin(&stage, "boss").await;
    assert_eq!(edits(&stage, &boss, 1, &[("1150", "JPY"), ("6.90", "EUR")]).await.unwrap(), Revised::Saved(2));
    (stage, boss)
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
async fn a_plan_by_agreement_has_no_other_price_either(pool: PgPool) {
    let (stage, boss) = shop(pool).await;
    let plan: PlanId = stage.plan("starter").await;
    let edit = Edit { plan, revision: 2, terms: terms(&Typed { sold: "agreement", price: "", ..STARTER }) };
    revise(&stage.ctx, &boss.0, &boss.1, &Origin::NONE, &edit, &Reason::parse("reason", "By hand").unwrap())
        .await
        .unwrap();
    let ana = stage.buyer("ana").await;
    let choice = Choice { plan, currency: Some("eur".parse().unwrap()) };
    assert_eq!(refusal(start(&stage.ctx, &ana, choice, FormKey::fresh()).await), Refusal::PlanIsByAgreement);
    assert_eq!(find(&stage.ctx.db, plan).await.unwrap().unwrap().prices().count(), 0);
}
