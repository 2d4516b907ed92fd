//! What people read of the ledger: statement, story, CSV, balance over the last days.

use atlas::Error;
use atlas::ledger::balance::{PastBalance, balance, balance_at};
use atlas::ledger::statement::overview::{Span, overview};
use atlas::ledger::statement::{Direction, Filter, PAGE_LINES, csv, page, page_as_of, story::story};
use atlas::people::SignedIn;
use domain::ledger::{LotSource, TransactionKind};
use domain::{Credits, Money, PersonId, TransactionId};
use sqlx::{AssertSqlSafe, PgPool};
use time::{Date, Duration, OffsetDateTime};

use crate::stage::{Stage, promo, usage};

fn today() -> Date {
    atlas::clock::Clock::system().now().date()
}

/// Moves everything that was booked so far back in time, past the triggers.
async fn let_pass(stage: &Stage, days: i64) {
    let sql = format!(
        "begin; set local session_replication_role = replica;
        update credit_transactions set created_at = created_at - interval '{days} days'; commit"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&stage.owner).await.unwrap();
}

async fn nets(stage: &Stage, owner: &SignedIn, filter: Filter) -> Vec<i64> {
    let page = page(&stage.ctx.db, owner.id(), filter, None).await.unwrap();
    page.lines.iter().map(|line| line.net.get()).collect()
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_statement_runs_back_from_the_newest_with_its_balances(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    stage.grants(&promo(&ben, 999)).await.unwrap();
    stage.grants(&promo(&ana, 100)).await.unwrap();
    stage.spends(&usage(&ana, 30)).await.unwrap();
    stage.grants(&promo(&ana, 5)).await.unwrap();

    let page = page(&stage.ctx.db, ana.id(), Filter::default(), None).await.unwrap();
    let lines: Vec<_> =
        page.lines.iter().map(|line| (line.kind, line.net.get(), line.balance_after.get(), line.seq)).collect();
    assert_eq!(
        lines,
        [
            (TransactionKind::Grant, 5, 75, 3),
            (TransactionKind::Spend, -30, 70, 2),
            (TransactionKind::Grant, 100, 100, 1)
        ]
    );
    assert_eq!(page.older, None);
    let span = Span { today: today(), days: 1, lines: 2 };
    assert_eq!(overview(&stage.ctx.db, ana.id(), span).await.unwrap().recent, page.lines[..2]);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn balance_and_statement_are_told_as_of_any_moment(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.grants(&promo(&ana, 100)).await.unwrap();
    let_pass(&stage, 1).await;
    stage.spends(&usage(&ana, 30)).await.unwrap();
    stage.owes(&ana, 7).await;
    let_pass(&stage, 1).await;
    stage.grants(&promo(&ana, 5)).await.unwrap();

    let now = atlas::clock::Clock::system().now();
    let past = |hours: i64| now - Duration::hours(hours);
    let told = |posted, debt| PastBalance { posted: Credits::new(posted), debt: Credits::new(debt) };
    for (hours, expected, lines) in
        [(60, told(0, 0), 0), (36, told(100, 0), 1), (12, told(70, 7), 3), (-1, told(70, 2), 4)]
    {
        assert_eq!(balance_at(&stage.ctx.db, ana.id(), past(hours)).await.unwrap(), expected, "{hours} hours ago");
        let page = page_as_of(&stage.ctx.db, ana.id(), past(hours), None).await.unwrap();
        assert_eq!((page.lines.len(), page.older), (lines, None));
        assert_eq!(page.lines.first().map_or(Credits::ZERO, |line| line.balance_after), expected.posted);
    }
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_times_of_the_statement_run_with_its_numbers(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    // One transaction began first, but got its turn at the wallet last.
    let mut early = stage.ctx.db.begin().await.unwrap();
    sqlx::query("select now()").execute(&mut *early).await.unwrap();
    stage.grants(&promo(&ana, 1)).await.unwrap();
    atlas::ledger::grant::grant(&mut early, &promo(&ana, 2)).await.unwrap();
    early.commit().await.unwrap();
    let lines = page(&stage.ctx.db, ana.id(), Filter::default(), None).await.unwrap().lines;
    assert_eq!((lines[0].net.get(), lines[1].net.get()), (2, 1));
    assert!(lines[0].at > lines[1].at);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn pages_join_without_a_gap_or_an_overlap(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let total = 2 * PAGE_LINES + 1;
    for _ in 0..total {
        stage.grants(&promo(&ana, 1)).await.unwrap();
    }
    let (mut seen, mut before, mut sizes) = (Vec::new(), None, Vec::new());
    loop {
        let page = page(&stage.ctx.db, ana.id(), Filter::default(), before).await.unwrap();
        sizes.push(page.lines.len());
        seen.extend(page.lines.iter().map(|line| line.balance_after.get()));
        // What comes in while somebody reads on shifts nothing.
        stage.grants(&promo(&ana, 1)).await.unwrap();
        before = page.older;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [PAGE_LINES, PAGE_LINES, 1]);
    let expected: Vec<i64> = (1..=i64::try_from(total).unwrap()).rev().collect();
    assert_eq!(seen, expected);
    for nonsense in [0, -1, i64::MIN] {
        let page = page(&stage.ctx.db, ana.id(), Filter::default(), Some(nonsense)).await.unwrap();
        assert_eq!((page.lines.len(), page.older), (0, None));
    }
    assert_eq!(page(&stage.ctx.db, ana.id(), Filter::default(), Some(i64::MAX)).await.unwrap().lines.len(), PAGE_LINES);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn an_exactly_full_page_is_the_last(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    for _ in 0..PAGE_LINES {
        stage.grants(&promo(&ana, 1)).await.unwrap();
    }
    let page = page(&stage.ctx.db, ana.id(), Filter::default(), None).await.unwrap();
    assert_eq!((page.lines.len(), page.older), (PAGE_LINES, None));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn filters_narrow_by_direction_and_by_whole_days(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.grants(&promo(&ana, 100)).await.unwrap();
    let_pass(&stage, 2).await;
    stage.spends(&usage(&ana, 10)).await.unwrap();
    let_pass(&stage, 3).await;
    stage.grants(&promo(&ana, 1)).await.unwrap();
    // Now: +100 five days ago, −10 three days ago, +1 today.
    let day = |ago: i64| Some(today() - Duration::days(ago));
    let both = Filter::default();
    assert_eq!(nets(&stage, &ana, both).await, [1, -10, 100]);
    assert_eq!(nets(&stage, &ana, Filter { direction: Direction::In, ..both }).await, [1, 100]);
    assert_eq!(nets(&stage, &ana, Filter { direction: Direction::Out, ..both }).await, [-10]);
    assert_eq!(nets(&stage, &ana, Filter { from: day(3), ..both }).await, [1, -10]);
    assert_eq!(nets(&stage, &ana, Filter { to: day(3), ..both }).await, [-10, 100]);
    assert_eq!(nets(&stage, &ana, Filter { from: day(3), to: day(3), ..both }).await, [-10]);
    assert_eq!(nets(&stage, &ana, Filter { from: day(2), to: day(1), ..both }).await, [0_i64; 0]);
    assert_eq!(nets(&stage, &ana, Filter { from: day(0), to: day(5), ..both }).await, [0_i64; 0]);
    assert_eq!(nets(&stage, &ana, Filter { from: day(0), direction: Direction::Out, ..both }).await, [0_i64; 0]);
    assert_eq!(nets(&stage, &ana, Filter { from: Some(Date::MIN), to: Some(Date::MAX), ..both }).await, [1, -10, 100]);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_balance_over_thirty_days_fills_the_gaps(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let shown = async |days| {
        let span = Span { today: today(), days, lines: 2 };
        let overview = overview(&stage.ctx.db, ana.id(), span).await.unwrap();
        let page = page(&stage.ctx.db, ana.id(), Filter::default(), None).await.unwrap();
        assert_eq!(overview.recent, page.lines[..page.lines.len().min(2)], "the lines that tell of days stay out");
        overview.history
    };
    assert!(shown(30).await.iter().all(|end| end.balance == Credits::ZERO), "nothing moved yet");

    stage.grants(&promo(&ana, 100)).await.unwrap();
    let_pass(&stage, 30).await; // 42 days ago in the end
    stage.grants(&promo(&ana, 7)).await.unwrap();
    stage.spends(&usage(&ana, 50)).await.unwrap();
    let_pass(&stage, 5).await; // twelve days ago
    stage.spends(&usage(&ana, 20)).await.unwrap();
    let_pass(&stage, 7).await; // a week ago

    let month = shown(30).await;
    assert_eq!(month.len(), 30);
    assert_eq!((month[0].day, month[29].day), (today() - Duration::days(29), today()));
    for (place, end) in month.iter().enumerate() {
        let ago = 29 - place;
        let expected = match ago {
            13.. => 100,
            8..=12 => 57,
            _ => 37,
        };
        assert_eq!(end.balance, Credits::new(expected), "{ago} days ago");
    }
    assert_eq!(shown(1).await.len(), 1);
    assert_eq!(shown(1).await[0].balance, Credits::new(37));
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_csv_holds_every_line_and_runs_nothing(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&order, "pay_1").await;
    let mut hostile = promo(&ana, 5);
    hostile.description = "=HYPERLINK(\"http://evil\"), \"x\"".to_owned();
    let moved = stage.grants(&hostile).await.unwrap();

    let (rows, older) = csv::piece(&stage.ctx.db, ana.id(), Filter::default(), None).await.unwrap();
    assert_eq!(older, None);
    let lines: Vec<&str> = rows.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 2);
    let expected = format!(",\"'=HYPERLINK(\"\"http://evil\"\"), \"\"x\"\"\",5,5005,{},", moved.transaction);
    assert!(lines[0].ends_with(&expected), "{}", lines[0]);
    assert!(lines[1].contains(",\"Bought Starter\",5000,5000,") && lines[1].ends_with(&format!(",{}", order.id)));
    let written_at = lines[0].split(',').next().unwrap();
    assert!(OffsetDateTime::parse(written_at, &time::format_description::well_known::Rfc3339).is_ok());
    assert_eq!(csv::HEADER.split(',').count(), 6);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_line_tells_its_story(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    stage.pays(&order, "pay_1").await;
    stage.grants(&promo(&ana, 10)).await.unwrap();
    let spent = stage.spends(&usage(&ana, 25)).await.unwrap();
    let bought = stage.page(&ana, &order).await.transaction.unwrap();

    let purchase = story(&stage.ctx.db, ana.id(), bought).await.unwrap();
    assert_eq!((purchase.kind, purchase.net), (TransactionKind::Grant, Credits::new(5_000)));
    assert_eq!((purchase.order, purchase.plan_name.as_deref()), (Some(order.id), Some("Starter")));
    assert_eq!((purchase.actor.as_str(), purchase.description.as_str()), ("whop", "Bought Starter"));
    let payment = purchase.payment.unwrap();
    assert_eq!((payment.id.as_str(), payment.amount), ("pay_1", Some(Money::usd(750))));

    let spend = story(&stage.ctx.db, ana.id(), spent.transaction).await.unwrap();
    let pieces: Vec<_> = spend.pieces.iter().map(|piece| (piece.amount.get(), piece.source)).collect();
    assert_eq!(pieces, [(-10, Some(LotSource::Promo)), (-15, Some(LotSource::Purchase))]);
    assert!(spend.payment.is_none() && spend.order.is_none());
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn a_repayment_of_debt_tells_what_it_repaid(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    stage.owes(&ana, 30).await;
    let moved = stage.grants(&promo(&ana, 100)).await.unwrap();
    let story = story(&stage.ctx.db, ana.id(), moved.transaction).await.unwrap();
    assert_eq!((story.net, story.debt_change), (Credits::new(70), Credits::new(-30)));
    let pieces: Vec<_> = story.pieces.iter().map(|piece| (piece.amount.get(), piece.source)).collect();
    assert_eq!(pieces, [(100, Some(LotSource::Promo)), (-30, Some(LotSource::Promo)), (-30, None)]);
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_story_of_somebody_else_is_as_unknown_as_none(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let (ana, ben) = (stage.buyer("ana").await, stage.buyer("ben").await);
    let moved = stage.grants(&promo(&ana, 10)).await.unwrap();
    let unknown = TransactionId::from_uuid(atlas::ids::fresh());
    for id in [moved.transaction, unknown] {
        assert!(matches!(story(&stage.ctx.db, ben.id(), id).await, Err(Error::NotFound)));
    }
    let nobody = PersonId::from_uuid(atlas::ids::fresh());
    assert!(page(&stage.ctx.db, nobody, Filter::default(), None).await.unwrap().lines.is_empty());
    assert!(balance(&stage.ctx.db, nobody).await.is_err());
}
