//! The figures of the overview: whatever happened in whatever order, folded or not, they say what the rows say.

use std::collections::BTreeMap;

use atlas::clock::Clock;
use atlas::figures::fold::{fold, fold_all};
use atlas::figures::overview::overview;
use atlas::figures::period::{Compare, Span, Wanted, period};
use atlas::figures::zone::Zone;
use atlas::people::SignedIn;
use atlas::people::roles::Support;
use domain::{Credits, DisputeState, Money, OrderState, PaymentState, RefundState};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sqlx::PgPool;
use time::macros::{date, datetime};
use time::{Duration, OffsetDateTime};

use crate::stage::boss::{Boss, admin};
use crate::stage::{Ordered, Stage, dispute, promo, refund, usage};

const KINDS: [&str; 14] = [
    "order",
    "opened",
    "payment",
    "revenue",
    "refunded",
    "dispute_lost",
    "sold",
    "granted",
    "used",
    "expired",
    "taken_back",
    "credited_in",
    "posted",
    "debt",
];

/// What the rows say, each number by a plain scan.
const SCAN: &str = "
    select kind, part, sum(count)::bigint, sum(sum)::bigint from (
        select 'order' as kind, provider || '/' || state as part, 1 as count, 0::bigint as sum, created_at as at from credit_orders
        union all select 'opened', provider, 1, 0, created_at from credit_orders where opened_at is not null
        union all select 'payment', provider || '/' || state, 1, 0, created_at from payments
        union all select 'revenue', currency, 1, amount_minor, coalesce(paid_at, created_at) from payments
            where state = 'succeeded' and amount_minor is not null
        union all select 'refunded', currency, 1, amount_minor, created_at from refunds where state = 'succeeded'
        union all select 'dispute_lost', coalesce(currency, ''), 1, coalesce(amount_minor, 0), created_at from disputes where state = 'lost'
        union all select 'sold', '', 1, net - debt_change, created_at from credit_transactions where kind = 'grant' and payment_id is not null
        union all select 'granted', '', 1, net - debt_change, created_at from credit_transactions
            where kind = 'grant' and payment_id is null or kind = 'bonus'
        union all select 'used', '', 1, net, created_at from credit_transactions where kind in ('spend', 'capture')
        union all select 'expired', '', 1, net, created_at from credit_transactions where kind = 'expire'
        union all select 'taken_back', '', 1, net - debt_change, created_at from credit_transactions where kind in ('clawback', 'reinstate')
        union all select 'posted', '', 0, net, created_at from credit_transactions
        union all select 'debt', '', 0, debt_change, created_at from credit_transactions
        union all select 'credited_in', '', 1, greatest(0, (extract(epoch from t.created_at - p.paid_at) * 1000)::bigint), t.created_at
            from credit_transactions t join payments p using (provider, payment_id) where t.kind = 'grant' and p.paid_at is not null
    ) happened where at >= $1 and at < $2 group by kind, part having sum(count) <> 0 or sum(sum) <> 0";

type Said = BTreeMap<(String, String), (i64, i64)>;

/// Sums what was said, the steps of a time together.
fn gathered(rows: Vec<(String, String, i64, i64)>) -> Said {
    let mut said = Said::new();
    for (kind, part, count, sum) in rows {
        let part = if kind == "credited_in" { String::new() } else { part };
        let known = said.entry((kind, part)).or_default();
        *known = (known.0 + count, known.1 + sum);
    }
    said
}

async fn figures(stage: &Stage, from: OffsetDateTime, to: OffsetDateTime) -> Said {
    let rows = sqlx::query_as("select kind, part, count, sum from figures_in(array[$1], array[$2], $3)")
        .bind(from)
        .bind(to)
        .bind(KINDS.map(str::to_owned))
        .fetch_all(&stage.ctx.db)
        .await
        .unwrap();
    gathered(rows)
}

async fn scan(stage: &Stage, from: OffsetDateTime, to: OffsetDateTime) -> Said {
    gathered(sqlx::query_as(SCAN).bind(from).bind(to).fetch_all(&stage.owner).await.unwrap())
}

async fn slowest(stage: &Stage, from: OffsetDateTime, to: OffsetDateTime) -> (Vec<i64>, Vec<i64>) {
    let said = sqlx::query_scalar("select took_ms from slowest_credits($1, $2)");
    let said = said.bind(from).bind(to).fetch_all(&stage.ctx.db).await.unwrap();
    let scanned = sqlx::query_scalar(
        "select greatest(0, (extract(epoch from t.created_at - p.paid_at) * 1000)::bigint) as ms
        from credit_transactions t join payments p using (provider, payment_id)
        where t.kind = 'grant' and p.paid_at is not null and t.created_at >= $1 and t.created_at < $2 order by ms desc limit 10",
    );
    (said, scanned.bind(from).bind(to).fetch_all(&stage.owner).await.unwrap())
}

/// The database's own time.
fn now() -> OffsetDateTime {
    Clock::system().now()
}

/// A quarter of an hour within the last hundred days or the next one.
fn quarter(dice: &mut StdRng, now: OffsetDateTime) -> OffsetDateTime {
    let seconds = now.unix_timestamp() + dice.random_range(-100 * 86_400..86_400);
    OffsetDateTime::from_unix_timestamp(seconds.div_euclid(900) * 900).unwrap()
}

struct Shop<'a> {
    stage: &'a Stage,
    people: Vec<SignedIn>,
    orders: Vec<(usize, Ordered)>,
    paid: Vec<(usize, Ordered, String)>,
    steps: usize,
}

impl Shop<'_> {
    async fn step(&mut self, dice: &mut StdRng) {
        self.steps += 1;
        let who = dice.random_range(0..self.people.len());
        let (stage, person, nth) = (self.stage, &self.people[who], self.steps);
        match dice.random_range(0..14) {
            0..=2 => {
                let plan = if dice.random_bool(0.5) { "starter" } else { "pro" };
                let order = stage.starts_checkout(person, plan).await;
                self.orders.push((who, order));
            }
            3..=5 if !self.orders.is_empty() => {
                let (who, order) = self.orders.remove(dice.random_range(0..self.orders.len()));
                let id = format!("pay_{nth}");
                let bonus = "update credit_orders set bonus_credits = $2 where id = $1";
                sqlx::query(bonus)
                    .bind(order.id)
                    .bind(dice.random_range(0..3_i64))
                    .execute(&stage.owner)
                    .await
                    .unwrap();
                let mut facts = order.facts(&id, PaymentState::Succeeded);
                let ago = dice.random_range(0..8_000_000_000_i64);
                facts.paid_at = dice.random_bool(0.9).then(|| now() - Duration::milliseconds(ago));
                stage.delivers(&stage.payment_webhook(&format!("evt_{nth}"), &facts)).await.unwrap();
                self.paid.push((who, order, id));
            }
            6 if !self.orders.is_empty() => {
                let (_, order) = &self.orders[dice.random_range(0..self.orders.len())];
                let told = if dice.random_bool(0.5) { PaymentState::Failed } else { PaymentState::Pending };
                let facts = order.facts(&format!("pay_{nth}"), told);
                stage.delivers(&stage.payment_webhook(&format!("evt_{nth}"), &facts)).await.unwrap();
            }
            7 if !self.paid.is_empty() => {
                let (_, order, payment) = &self.paid[dice.random_range(0..self.paid.len())];
                let cents = dice.random_range(1..=order.price.minor);
                let told = if dice.random_bool(0.7) { RefundState::Succeeded } else { RefundState::Pending };
                let facts = refund(&format!("rf_{payment}"), payment, cents, told);
                stage.delivers(&stage.refund_webhook(&format!("evt_{nth}"), &facts)).await.unwrap();
            }
            8 if !self.paid.is_empty() => {
                let (_, _, payment) = &self.paid[dice.random_range(0..self.paid.len())];
                let told = [DisputeState::Open, DisputeState::Lost, DisputeState::Won][dice.random_range(0..3)];
                let facts = dispute(&format!("dp_{payment}"), payment, told);
                stage.delivers(&stage.dispute_webhook(&format!("evt_{nth}"), &facts)).await.unwrap();
            }
            9 => {
                let mut gift = promo(person, dice.random_range(1..500));
                gift.expires_at = dice.random_bool(0.5).then(|| now() - Duration::SECOND);
                stage.grants(&gift).await.unwrap();
            }
            10 => drop(stage.spends(&usage(person, dice.random_range(1..400))).await),
            11 => drop(atlas::ledger::expire::expire(&stage.ctx.db, 100).await.unwrap()),
            12 => drop(fold(&stage.ctx.db, dice.random_range(1..40)).await.unwrap()),
            _ => stage.advance(Duration::minutes(dice.random_range(0..3_000))),
        }
        self.scatter(dice).await;
    }

    /// The ledger tells the time itself: what was just booked is moved into the past, before anybody folds it.
    async fn scatter(&self, dice: &mut StdRng) {
        let mut tx = self.stage.owner.begin().await.unwrap();
        sqlx::query("set local session_replication_role = replica").execute(&mut *tx).await.unwrap();
        sqlx::query(
            "update credit_transactions set created_at = created_at - make_interval(secs => $1)
            where created_at > now() - interval '10 minutes' and (epoch, xid, id) > (
                (select epoch from figure_marks), (select xid from figure_marks), (select transaction_id from figure_marks))",
        )
        .bind(f64::from(dice.random_range(601..90 * 86_400)))
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }
}

async fn history(stage: &Stage, seed: u64, steps: usize) {
    let mut dice = StdRng::seed_from_u64(seed);
    stage.advance(-Duration::days(90));
    let mut people = Vec::new();
    for name in ["ana", "ben", "cleo"] {
        people.push(stage.buyer(&format!("{name}{seed}")).await);
    }
    let mut shop = Shop { stage, people, orders: vec![], paid: vec![], steps: 0 };
    for step in 1..=steps {
        shop.step(&mut dice).await;
        if step % 20 == 0 || step == steps {
            let (one, other) = (quarter(&mut dice, now()), quarter(&mut dice, now()));
            let always = (datetime!(2000-01-01 0:00 UTC), datetime!(2100-01-01 0:00 UTC));
            for (from, to) in [always, (one.min(other), one.max(other))] {
                assert_eq!(figures(stage, from, to).await, scan(stage, from, to).await, "seed {seed}, {from} to {to}");
                let (said, scanned) = slowest(stage, from, to).await;
                assert_eq!(said, scanned, "the slowest, seed {seed}, {from} to {to}");
            }
        }
    }
    assert!(!shop.paid.is_empty(), "a history in which nothing happens shows nothing");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn folded_at_any_moment_the_figures_are_what_the_rows_say(pool: PgPool) {
    let stage = Stage::new(pool).await;
    history(&stage, 1, 240).await;
    stage.rests().await;
    fold_all(&stage.ctx).await.unwrap();
    assert_eq!(stage.count("select count(*) from figure_changes").await, 0);
    let always = (datetime!(2000-01-01 0:00 UTC), datetime!(2100-01-01 0:00 UTC));
    let folded = figures(&stage, always.0, always.1).await;
    assert_eq!(folded, scan(&stage, always.0, always.1).await);
    // What was counted anew is the same.
    sqlx::query("select figures_recount()").execute(&stage.owner).await.unwrap();
    assert_eq!(figures(&stage, always.0, always.1).await, folded, "before the ledger is folded again");
    fold_all(&stage.ctx).await.unwrap();
    assert_eq!(figures(&stage, always.0, always.1).await, folded);
    let wallets = stage.count("select sum(posted)::bigint from credit_accounts").await;
    assert_eq!(
        folded.get(&("posted".into(), String::new())).unwrap().1,
        wallets,
        "what is outstanding is what is in the wallets"
    );
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn other_histories_end_alike(pool: PgPool) {
    let stage = Stage::new(pool).await;
    history(&stage, 2, 160).await;
    history(&stage, 3, 160).await;
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn what_commits_after_a_fold_is_neither_lost_nor_counted_twice(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let ana = stage.buyer("ana").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let mut late = stage.ctx.db.begin().await.unwrap();
    atlas::ledger::grant::grant(&mut late, &promo(&ana, 7)).await.unwrap();
    sqlx::query("update credit_orders set state = 'expired' where id = $1")
        .bind(order.id)
        .execute(&mut *late)
        .await
        .unwrap();
    let ben = stage.buyer("ben").await;
    stage.grants(&promo(&ben, 11)).await.unwrap();
    fold_all(&stage.ctx).await.unwrap();
    late.commit().await.unwrap();
    let always = (datetime!(2000-01-01 0:00 UTC), datetime!(2100-01-01 0:00 UTC));
    for _ in 0..2 {
        let said = figures(&stage, always.0, always.1).await;
        assert_eq!(said, scan(&stage, always.0, always.1).await);
        assert_eq!(said.get(&("posted".into(), String::new())), Some(&(0, 18)));
        assert_eq!(said.get(&("order".into(), "whop/expired".into())), Some(&(1, 0)));
        stage.rests().await;
        fold_all(&stage.ctx).await.unwrap();
    }
}

fn support(boss: &Boss) -> Support {
    Support::prove(boss.0.person().clone()).unwrap()
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn the_overview_tells_a_day_from_the_one_before(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let by = support(&admin(&stage, "boss").await);
    let ana = stage.buyer("ana").await;
    let dropped = stage.starts_checkout(&ana, "starter").await;
    let order = stage.starts_checkout(&ana, "starter").await;
    let mut facts = order.facts("pay_1", PaymentState::Succeeded);
    facts.paid_at = Some(now() - Duration::seconds(40));
    stage.delivers(&stage.payment_webhook("evt_1", &facts)).await.unwrap();
    stage.spends(&usage(&ana, 1_000)).await.unwrap();
    stage.grants(&promo(&ana, 30)).await.unwrap();
    let facts = dropped.facts("pay_2", PaymentState::Failed);
    stage.delivers(&stage.payment_webhook("evt_2", &facts)).await.unwrap();
    stage
        .delivers(&stage.refund_webhook("evt_3", &refund("rf_1", "pay_1", 150, RefundState::Succeeded)))
        .await
        .unwrap();

    let wanted = Wanted { span: Span::Days(2), zone: Zone::UTC, compare: Compare::Before };
    let seen = overview(&stage.ctx, &by, wanted).await.unwrap();
    let totals = &seen.totals;
    assert_eq!(
        (totals.revenue(), totals.refunded(), totals.refunds()),
        (vec![Money::usd(750)], vec![Money::usd(150)], 1)
    );
    let funnel = totals.funnel();
    assert_eq!((funnel.started, funnel.opened, funnel.paid), (2, 2, 1));
    assert_eq!(totals.orders(), [(OrderState::Paid, 1), (OrderState::Failed, 1)]);
    assert_eq!((totals.payments().succeeded, totals.payments().failed), (1, 1));
    assert_eq!(totals.sold(), (Credits::new(5_000), 1));
    assert_eq!(
        (totals.granted(), totals.used(), totals.taken_back()),
        (Credits::new(30), Credits::new(1_000), Credits::new(1_000))
    );
    assert_eq!(seen.outstanding.credits, stage.balance(&ana).await.posted);
    let times = totals.time_to_credit();
    let (half, worst) = (times.percentile(50).unwrap(), seen.slowest[0].took);
    assert!((half - worst).abs() * 16 <= worst && worst >= Duration::seconds(40), "{half} and {worst}");
    assert_eq!(seen.slowest[0].order, Some(order.id));
    assert!(seen.before.unwrap().is_nothing());
    assert_eq!(seen.steps.len(), 2);
    let sold: i64 = seen.steps.iter().map(|(_, totals)| totals.sold().0.get()).sum();
    assert_eq!(sold, 5_000, "the steps add up");
}

#[sqlx::test(migrator = "atlas::MIGRATOR")]
async fn days_begin_when_their_zone_says(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let now = datetime!(2026-11-22 20:00 UTC);
    let days = async |zone: &str, first, last| {
        let wanted =
            Wanted { span: Span::Between { first, last }, zone: Zone::parse(zone).unwrap(), compare: Compare::Nothing };
        period(&stage.ctx.db, now, wanted).await.unwrap()
    };
    let kathmandu = days("Asia/Kathmandu", date!(2026 - 11 - 01), date!(2026 - 11 - 02)).await;
    assert_eq!(kathmandu.whole.from, datetime!(2026-10-31 18:15 UTC), "5:45 ahead");
    assert_eq!(kathmandu.steps.len(), 2);
    let berlin = days("Europe/Berlin", date!(2026 - 10 - 25), date!(2026 - 10 - 25)).await;
    assert_eq!(berlin.whole.to - berlin.whole.from, Duration::hours(25), "the clocks went back");
    let spring = days("Europe/Berlin", date!(2026 - 03 - 29), date!(2026 - 03 - 29)).await;
    assert_eq!(spring.steps.len(), 23, "an hour that is not there is not drawn");
    for pair in spring.steps.windows(2) {
        assert_eq!(pair[0].during.to, pair[1].during.from, "without gaps");
    }
    for zone in Zone::ALL {
        let day = days(zone.as_str(), date!(2026 - 06 - 01), date!(2026 - 06 - 01)).await;
        assert_eq!(day.whole.from.unix_timestamp() % 900, 0, "{} begins its days with a quarter", zone.as_str());
    }
}
