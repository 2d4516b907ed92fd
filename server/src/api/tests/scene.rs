//! A served API with one application, its key, and people who have credits.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use atlas::api_keys::Scope;
use atlas::api_keys::create::{NewApiKey, create};
use atlas::audit::{By, Origin, Who};
use atlas::clock::Clock;
use atlas::ledger::Key;
use atlas::ledger::audit::audit;
use atlas::ledger::grant::{Grant, grant};
use atlas::providers::Providers;
use atlas::spends::Spends;
use atlas::{Context, ids};
use domain::ledger::LotSource;
use domain::{Credits, PersonId};
use http::{HeaderMap, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::layers;
use crate::layers::client::Proxies;
use crate::meter::{Meter, Rate};
use crate::serve::accept;

/// Who makes the keys.
const BY: By<'static> = By { who: Who::Operator("test"), origin: &Origin::NONE };

pub struct Scene {
    pub spends: Spends,
    /// With the application's rights.
    pub ctx: Context,
    /// The owner of the database.
    pub owner: PgPool,
    pub address: SocketAddr,
    /// The application's key, named "Shop".
    pub key: String,
    http: reqwest::Client,
    people: AtomicU32,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// Which problem it is.
    pub fn code(&self) -> &str {
        assert!(self.body["error"]["message"].is_string(), "{self:?}");
        self.body["error"]["code"].as_str().unwrap()
    }
}

impl Scene {
    pub async fn open(owner: PgPool) -> Self {
        let options = owner.connect_options().as_ref().clone();
        Self::open_through(owner, options).await
    }

    /// With a limit for each key. Elsewhere there is none to speak of.
    pub async fn open_limited(owner: PgPool, rate: Rate) -> Self {
        let options = owner.connect_options().as_ref().clone();
        Self::open_with(owner, options, rate).await
    }

    /// Spends reach the database with these options.
    pub async fn open_through(owner: PgPool, options: PgConnectOptions) -> Self {
        Self::open_with(owner, options, Rate::a_second(NonZeroU32::new(1_000_000).unwrap())).await
    }

    async fn open_with(owner: PgPool, options: PgConnectOptions, rate: Rate) -> Self {
        let as_app = |options: PgConnectOptions| {
            let options = options.options([("role", atlas::APP_ROLE), ("statement_timeout", "5s")]);
            PgPoolOptions::new().max_connections(3).acquire_timeout(Duration::from_secs(2)).connect_lazy_with(options)
        };
        let ctx = Context {
            db: as_app(owner.connect_options().as_ref().clone()),
            clock: Clock::system(),
            providers: Providers::default(),
            public_url: "https://credits.example.com".to_owned(),
            keeps_mail: false,
            staff_need_second_factor: true,
            vault: atlas::vault::Vault::without_keys(),
            whop_oauth: None,
            membership_rule: None,
        };
        let created = create(&ctx, &BY, &NewApiKey::parse("Shop", "shop", vec![Scope::Spend]).unwrap()).await.unwrap();
        let spends = Spends::start(&Context { db: as_app(options), ..ctx.clone() });
        let site = layers::wrap(
            crate::api::routes(spends.clone(), Arc::new(Meter::new(rate))),
            &ctx.public_url,
            layers::Known::by("http://127.0.0.1"),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // Nobody stops it: it ends with the test.
        let (_, mut stop) = mpsc::channel(1);
        atlas::tasks::spawn(async move { accept::until_stopped(listener, site, &Proxies::default(), &mut stop).await });
        let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        let key = created.key.expose_secret().to_owned();
        Self { spends, ctx, owner, address, key, http, people: AtomicU32::new(0) }
    }

    /// Somebody who was given credits.
    pub async fn person(&self, credits: i64) -> PersonId {
        let id = PersonId::from_uuid(ids::fresh());
        let number = self.people.fetch_add(1, Ordering::Relaxed);
        sqlx::query("insert into user_profiles (id, email, password_hash) values ($1, $2, '')")
            .bind(id)
            .bind(format!("{number}@example.com"))
            .execute(&self.ctx.db)
            .await
            .unwrap();
        sqlx::query("select credits_open_wallet($1)").bind(id).execute(&self.ctx.db).await.unwrap();
        let given = Grant {
            transaction: None,
            key: Key::new("test", id.to_string()),
            to: id,
            credits: Credits::new(credits),
            counter: "promo",
            source: LotSource::Promo,
            expires_at: None,
            order: None,
            paid: None,
            actor: "test".to_owned(),
            description: "Given".to_owned(),
        };
        let mut tx = self.ctx.db.begin().await.unwrap();
        grant(&mut tx, &given).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    /// A key of another application, named "Another".
    pub async fn another_key(&self) -> String {
        let new = NewApiKey::parse("Another", "another", vec![Scope::Spend]).unwrap();
        create(&self.ctx, &BY, &new).await.unwrap().key.expose_secret().to_owned()
    }

    /// A request as it should be.
    pub fn post(&self, idempotency_key: &str, body: &str) -> reqwest::Request {
        let request = self.http.post(format!("http://{}/api/v1/spend", self.address));
        request
            .bearer_auth(&self.key)
            .header("idempotency-key", idempotency_key)
            .header("content-type", "application/json")
            .body(body.to_owned())
            .build()
            .unwrap()
    }

    pub async fn send(&self, request: reqwest::Request) -> Answer {
        let response = self.http.execute(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, body: serde_json::from_slice(&response.bytes().await.unwrap()).unwrap() }
    }

    pub async fn ask(&self, idempotency_key: &str, body: &str) -> Answer {
        self.send(self.post(idempotency_key, body)).await
    }

    pub async fn ask_bytes(&self, idempotency_key: &str, body: Vec<u8>) -> Answer {
        let mut request = self.post(idempotency_key, "");
        *request.body_mut() = Some(body.into());
        self.send(request).await
    }

    pub async fn spend(&self, idempotency_key: &str, owner: PersonId, credits: i64) -> Answer {
        self.ask(idempotency_key, &json!({ "owner": owner, "credits": credits }).to_string()).await
    }

    /// One credit, asked for with another application's key.
    pub async fn ask_with(&self, key: &str, owner: PersonId) -> Answer {
        let mut request = self.post("k", &json!({ "owner": owner, "credits": 1 }).to_string());
        request.headers_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
        self.send(request).await
    }

    pub async fn left(&self, owner: PersonId) -> i64 {
        sqlx::query_scalar("select posted from credit_accounts where owner_id = $1")
            .bind(owner)
            .fetch_one(&self.owner)
            .await
            .unwrap()
    }

    /// What the owner reads about their spends, oldest first.
    pub async fn descriptions(&self, owner: PersonId) -> Vec<String> {
        sqlx::query_scalar(
            "select description from credit_transactions t join credit_accounts a on a.id = t.account_id
            where a.owner_id = $1 and t.kind = 'spend' order by t.last_seq",
        )
        .bind(owner)
        .fetch_all(&self.owner)
        .await
        .unwrap()
    }

    /// Until one of the application's statements waits for somebody else's lock.
    pub async fn waits_for_a_lock(&self) {
        let waiting = "select exists (select from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock')";
        while !sqlx::query_scalar::<_, bool>(waiting).fetch_one(&self.owner).await.unwrap() {}
    }

    /// From now on, for every connection.
    pub async fn becomes_read_only(&self, on_or_off: &str) {
        let sql = format!(
            "begin read write;
            do $$ begin execute format('alter database %I set default_transaction_read_only = {on_or_off}', current_database());
            end $$;
            commit;
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid();"
        );
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&self.owner).await.unwrap();
    }

    pub async fn execute(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&self.owner).await.unwrap();
    }

    pub async fn audits_clean(&self) {
        assert_eq!(audit(&self.ctx.db).await.unwrap().findings, []);
    }
}
