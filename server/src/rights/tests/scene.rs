//! The whole site over a real database, somebody who has things in it, and others who would like them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use atlas::audit::{By, Origin, Who};
use atlas::clock::Clock;
use atlas::ids;
use atlas::ledger::Key;
use atlas::ledger::grant::{Grant, grant};
use atlas::people::password::NewPassword;
use atlas::people::register::{Email, register_as};
use atlas::providers::Providers;
use atlas::set_up::whop::Keys;
use axum::Router;
use axum::body::to_bytes;
use clap::Parser;
use domain::ledger::LotSource;
use domain::{Credits, PersonId, Role};
use http::header;
use sqlx::{AssertSqlSafe, PgPool};
use tower::ServiceExt as _;
use uuid::Uuid;

use super::Caller;
use super::doors::{Answer, Visit};
use crate::config::Config;
use crate::database::Database;
use crate::database::checks::Standing;
use crate::router::{self, AppState};

const PASSWORD: &str = "correct horse battery";
const BY: By<'static> = By { who: Who::Operator("test"), origin: &Origin::NONE };

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    config: Config,
}

pub struct Scene {
    pub state: AppState,
    pub router: Router,
    folder: PathBuf,
}

/// Somebody whose order, wallet, transaction and session others know the names of.
#[derive(Debug, Clone)]
pub struct Victim {
    pub cookie: String,
    person: Uuid,
    order: Uuid,
    transaction: Uuid,
    session: Uuid,
    event: Uuid,
    plan: Uuid,
}

/// Every row of every table, by its table.
pub type Rows = BTreeMap<String, BTreeSet<String>>;

impl Scene {
    pub async fn open(pool: &PgPool) -> Self {
        let folder = crate::assets::built();
        let site = folder.to_string_lossy().into_owned();
        let key = "apik_for_tests_0123456789";
        let secret = "ws_a_secret_for_tests_alone_0123456789";
        let config = Cli::try_parse_from([
            "atlas",
            "--site-dir",
            &site,
            "--public-url",
            "http://127.0.0.1:3000",
            "--whop-api-key",
            key,
            "--whop-webhook-secret",
            secret,
            "--whop-company-id",
            "biz_test",
            "--whop-app-id",
            "app_test",
            "--whop-app-public-key",
            crate::embed::tests::KEY,
            // Nobody listens there.
            "--whop-api-url",
            "http://127.0.0.1:9/api/v1",
        ])
        .unwrap()
        .config;
        let pools = Database::of(pool).pools(Standing::Private).await.unwrap();
        let whop = crate::providers::whop(&config, &Keys::only(&config.whop.given())).unwrap();
        let ctx = atlas::Context {
            db: pools.web.clone(),
            clock: Clock::system(),
            providers: Providers::default(),
            public_url: "http://127.0.0.1:3000".to_owned(),
            keeps_mail: true,
            // The one who is of the staff has none.
            staff_need_second_factor: false,
            vault: atlas::vault::Vault::without_keys(),
            whop_oauth: None,
            membership_rule: None,
        };
        atlas::plans::defaults::add_missing(&ctx).await.unwrap();
        let state = AppState::new(ctx, &config, &pools, whop, config.listen).unwrap();
        let router = router::build(&state).unwrap();
        for caller in [Caller::Buyer, Caller::Support] {
            let role = if caller == Caller::Support { Role::Support } else { Role::Buyer };
            person(&state.ctx, &email(caller), role).await;
        }
        Self { state, router, folder }
    }

    pub async fn goes(&self, visit: &Visit, cookie: Option<&str>) -> Answer {
        let answer = self.router.clone().oneshot(visit.request(cookie)).await.unwrap();
        let (parts, body) = answer.into_parts();
        let streams = parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        // A stream that is open goes on; whoever got it is known by the status.
        let bytes = if streams { axum::body::Bytes::new() } else { to_bytes(body, 1_000_000).await.unwrap() };
        Answer::new(parts.status, &parts.headers, String::from_utf8_lossy(&bytes).into_owned())
    }

    async fn cookie(&self, email: &str) -> String {
        let body = format!("email={email}&password={}&next=/credits", PASSWORD.replace(' ', "+"));
        let request = Visit::post("/do/sign-in", &body).request(None);
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let mut cookies = answer.headers().get_all(header::SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
        let session = cookies.rfind(|cookie| cookie.starts_with("sid=")).unwrap();
        session.split(';').next().unwrap().to_owned()
    }

    pub async fn signs_in(&self, caller: Caller) -> Option<String> {
        if caller == Caller::Nobody { None } else { Some(self.cookie(&email(caller)).await) }
    }

    /// A new session of an admin.
    pub async fn admin(&self) -> String {
        let email = "boss@example.com";
        if atlas::people::find(&self.state.ctx.db, email).await.unwrap().is_none() {
            person(&self.state.ctx, email, Role::Admin).await;
        }
        self.cookie(email).await
    }

    pub async fn id_of(&self, caller: Caller) -> Option<PersonId> {
        atlas::people::find(&self.state.ctx.db, &email(caller)).await.unwrap()
    }

    /// Ana has credits, an order that waits, and a session.
    pub async fn victim(&self) -> Victim {
        let ctx = &self.state.ctx;
        let id = person(ctx, "ana@example.com", Role::Buyer).await;
        let mut tx = ctx.db.begin().await.unwrap();
        let request = Grant {
            transaction: None,
            key: Key::new("test", ids::fresh().to_string()),
            to: id,
            credits: Credits::new(500),
            counter: "promo",
            source: LotSource::Promo,
            expires_at: None,
            order: None,
            paid: None,
            actor: "test".to_owned(),
            description: "Given".to_owned(),
        };
        grant(&mut tx, &request).await.unwrap();
        tx.commit().await.unwrap();
        let cookie = self.cookie("ana@example.com").await;
        let plan: Uuid = sqlx::query_scalar(
            "select p.plan_id from plan_versions p where p.price_minor is null order by p.id limit 1",
        )
        .fetch_one(&ctx.db)
        .await
        .unwrap();
        let form = format!("plan={plan}&note=Please&key=victims-key-0001");
        let asked = self.goes(&Visit::post("/do/request-credits", &form), Some(&cookie)).await;
        assert!(asked.location.as_ref().unwrap().starts_with("/payment/status"), "{asked:?}");
        let (order, transaction, session): (Uuid, Uuid, Uuid) = sqlx::query_as(
            "select o.id, t.id, s.public_id from credit_orders o, credit_transactions t, sessions s
            where o.buyer_id = $1 and s.person_id = $1 and t.scope = 'test'",
        )
        .bind(id)
        .fetch_one(&ctx.db)
        .await
        .unwrap();
        let event = sqlx::query_scalar(
            "insert into provider_events (id, provider, event_id, kind, state, reason, order_id, body, body_hash, secret, decided_at)
            values (gen_random_uuid(), 'whop', 'evt_of_ana', 'payment.succeeded', 'parked', 'failed', $1, '{}', sha256('{}'),
                'current', now())
            returning id",
        )
        .bind(order)
        .fetch_one(&ctx.db)
        .await
        .unwrap();
        Victim { cookie, person: id.uuid(), order, transaction, session, event, plan }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn email(caller: Caller) -> String {
    format!("{caller:?}@example.com").to_lowercase()
}

async fn person(ctx: &atlas::Context, email: &str, role: Role) -> PersonId {
    let email = Email::parse("email", email).unwrap();
    let password = NewPassword::parse("password", PASSWORD).unwrap();
    register_as(ctx, &BY, email, password, role).await.unwrap().id()
}

impl Victim {
    /// Somebody with names that nothing has.
    pub fn unknown(&self) -> Self {
        let other = |id: Uuid| Uuid::from_u128(id.as_u128() ^ 0xffff);
        Self {
            cookie: self.cookie.clone(),
            person: other(self.person),
            order: other(self.order),
            transaction: other(self.transaction),
            session: other(self.session),
            event: other(self.event),
            plan: other(self.plan),
        }
    }

    pub const fn id(&self) -> Uuid {
        self.person
    }

    pub fn names(&self) -> Vec<String> {
        [self.person, self.order, self.transaction, self.session, self.event].iter().map(Uuid::to_string).collect()
    }

    /// The route with its own things in it.
    pub fn address(&self, route: &str) -> String {
        let id = match route {
            _ if route.starts_with("/transactions") => self.transaction,
            _ if route.starts_with(domain::paths::ADMIN_PEOPLE) => self.person,
            _ if route.starts_with(domain::paths::ADMIN_EVENTS) => self.event,
            _ if route.starts_with(domain::paths::API_ADMIN_WHOP_PLANS) => self.plan,
            _ => self.order,
        };
        if route.starts_with("/api/") {
            // These refuse what they do not know, so that it is not the door that is tried.
            return route.replace("{id}", &id.to_string());
        }
        format!("{}?order={}&id={id}", route.replace("{id}", &id.to_string()), self.order)
    }

    /// What of it can be looked at.
    pub fn addresses(&self) -> Vec<String> {
        let all = super::DOORS.iter().map(|door| door.path);
        let about_one = all.filter(|path| path.contains("{id}") || *path == domain::paths::PAYMENT_STATUS);
        about_one
            .filter(|path| !path.starts_with("/receipt") && !path.starts_with(domain::paths::ADMIN))
            .filter(|path| !path.starts_with("/api/admin"))
            .map(|path| self.address(path))
            .collect()
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        let text = |text: &str| text.to_owned();
        vec![
            ("name", text("Mallory")),
            // None that could be anybody's: an account or a mail of theirs would be their own affair.
            ("email", text("mallory")),
            ("password", text("a password of mallory")),
            ("current", text("a password of mallory")),
            // Too short, or the caller would be signed out by their own new password.
            ("new", text("mallory")),
            ("code", text("123456")),
            ("token", text("a-token")),
            ("next", text("/credits")),
            ("return_to", text("/credits")),
            ("theme", text("dark")),
            ("plan", self.plan.to_string()),
            ("key", text("mallorys-key-0001")),
            ("note", text("Mallory")),
            ("order", self.order.to_string()),
            ("session", self.session.to_string()),
            ("event", self.event.to_string()),
            ("reason", text("Mallory")),
            ("message", text("Mallory")),
            ("person", self.person.to_string()),
            ("owner", self.person.to_string()),
            ("id", self.order.to_string()),
            ("credits", text("1")),
            ("amount", text("1")),
            ("role", text("admin")),
            ("provider", text("manual")),
            ("percent", text("1")),
            ("path", text("manual")),
            ("limit", text("1")),
            ("about", text("order")),
            ("job", text("1")),
            ("text", text("Mallory")),
            ("understood", text("yes")),
        ]
    }

    pub fn form(&self) -> String {
        let fields = self.fields().into_iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+")));
        fields.collect::<Vec<_>>().join("&")
    }

    pub fn json(&self) -> String {
        let fields = self.fields().into_iter().map(|(name, value)| (name.to_owned(), serde_json::Value::String(value)));
        serde_json::Value::Object(fields.collect()).to_string()
    }
}

/// Every row there is, but for what mentions `caller`, whose own affair it is, and what is meant to be written: when a
/// session was used, the messages left to visitors, limits, the audit, and figures, which follow from rows that are looked at here.
pub async fn rows_of_others(pool: &PgPool, caller: Option<PersonId>) -> Rows {
    let tables: Vec<(String, String)> = sqlx::query_as(
        "select schemaname::text, tablename::text from pg_tables
        where schemaname in ('public', 'graphile_worker') and tablename not in ('audit_entries', 'rate_limits', 'figure_changes', '_sqlx_migrations')
        order by 1, 2",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(tables.len() > 20);
    let caller = caller.map_or_else(|| ids::fresh().to_string(), |id| id.to_string());
    let mut rows = Rows::new();
    for (schema, table) in tables {
        let strangers = if table == "sessions" { "where t.person_id is not null" } else { "" };
        let sql = format!(
            "select row from (select (to_jsonb(t) - 'seen_at' - 'expires_at')::text as row from {schema}.{table} t {strangers}) all_rows
            where position($1 in row) = 0"
        );
        let found: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql)).bind(&caller).fetch_all(pool).await.unwrap();
        rows.insert(table, found.into_iter().collect());
    }
    rows
}

/// What is there that was not, and what is not there that was.
pub fn difference(before: &Rows, after: &Rows) -> Vec<String> {
    let empty = BTreeSet::new();
    let tables: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = tables.into_iter().flat_map(|table| {
        let (old, new) = (before.get(table).unwrap_or(&empty), after.get(table).unwrap_or(&empty));
        old.symmetric_difference(new).map(move |row| format!("{table}: {row}"))
    });
    changed.collect()
}
