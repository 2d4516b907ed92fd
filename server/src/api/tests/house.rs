//! The whole site over real connections, with the sandbox for a provider, for those routes that take a person.

use std::net::SocketAddr;
use std::path::PathBuf;

use atlas::api_keys::Scope;
use atlas::api_keys::create::{NewApiKey, create};
use atlas::audit::{By, Origin, Who};
use atlas::clock::Clock;
use atlas::ledger::audit::audit;
use atlas::people::password::NewPassword;
use atlas::people::register::{Email, register_as};
use atlas::providers::Providers;
use atlas::set_up::whop::Keys;
use clap::Parser;
use domain::Role;
use http::{HeaderMap, Method, StatusCode};
use sandbox::Running;
use sandbox::options::Options;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::described;
use crate::config::Config;
use crate::database::Database;
use crate::database::checks::Standing;
use crate::layers::client::Proxies;
use crate::router::{self, AppState};
use crate::serve::accept;

const PASSWORD: &str = "correct horse battery";
const ORIGIN: &str = "http://127.0.0.1:3000";
const BY: By<'static> = By { who: Who::Operator("test"), origin: &Origin::NONE };

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    config: Config,
}

pub struct House {
    pub state: AppState,
    /// The owner of the database.
    pub owner: PgPool,
    address: SocketAddr,
    http: reqwest::Client,
    folder: PathBuf,
    /// Ends with the test.
    _whop: Running,
}

/// The cookie of somebody's session.
#[derive(Debug, Clone)]
pub struct Somebody {
    pub cookie: String,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// Which problem it is.
    #[track_caller]
    pub fn problem(&self) -> (u16, &str) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let code = self.body["error"]["code"].as_str().unwrap();
        assert_eq!(self.body["type"], format!("urn:problem-type:atlas:{code}"));
        assert_eq!(self.body["status"], self.status.as_u16());
        assert_eq!(self.body["detail"], self.body["error"]["message"]);
        (self.status.as_u16(), code)
    }

    /// The fields that are wrong.
    #[track_caller]
    pub fn wrong(&self) -> Vec<&str> {
        assert_eq!(self.problem(), (422, "invalid"), "{self:?}");
        self.body["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect()
    }
}

impl House {
    pub async fn open(owner: PgPool) -> Self {
        let whop = ["sandbox", "--listen", "127.0.0.1:0", "--company-id", "biz_test", "--webhook-url", ""];
        let whop = sandbox::start(&Options::parse_from(whop)).await.unwrap();
        let folder = crate::assets::built();
        let (site, api_url) = (folder.to_string_lossy().into_owned(), format!("http://{}/api/v1", whop.address));
        let config = Cli::try_parse_from([
            "atlas",
            "--site-dir",
            &site,
            "--public-url",
            ORIGIN,
            "--whop-api-key",
            "sandbox-api-key-for-atlas-demo",
            "--whop-webhook-secret",
            "ws_a_secret_for_tests_alone_0123456789",
            "--whop-company-id",
            "biz_test",
            "--whop-api-url",
            &api_url,
        ]);
        let config = config.unwrap().config;
        let pools = Database::of(&owner).pools(Standing::Private).await.unwrap();
        let set_up = crate::providers::whop(&config, &Keys::only(&config.whop.given())).unwrap().unwrap();
        let ctx = atlas::Context {
            db: pools.web.clone(),
            clock: Clock::system(),
            providers: Providers::new([set_up.provider.clone()]),
            public_url: ORIGIN.to_owned(),
            keeps_mail: true,
            staff_need_second_factor: false,
            vault: atlas::vault::Vault::without_keys(),
            whop_oauth: None,
            membership_rule: None,
        };
        atlas::plans::defaults::add_missing(&ctx).await.unwrap();
        let state = AppState::new(ctx, &config, &pools, Some(set_up), config.listen).unwrap();
        let site = router::build(&state).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // Nobody stops it: it ends with the test.
        let (_, mut stop) = mpsc::channel(1);
        atlas::tasks::spawn(async move { accept::until_stopped(listener, site, &Proxies::default(), &mut stop).await });
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { state, owner, address, http, folder, _whop: whop }
    }

    /// Somebody who has just signed in, and by that confirmed that it is them.
    pub async fn person(&self, name: &str, role: Role) -> Somebody {
        let email = Email::parse("email", &format!("{name}@example.com")).unwrap();
        let password = NewPassword::parse("password", PASSWORD).unwrap();
        register_as(&self.state.ctx, &BY, email, password, role).await.unwrap();
        let form = format!("email={name}%40example.com&password={}&next=/credits", PASSWORD.replace(' ', "+"));
        let request = self.request(Method::POST, "/do/sign-in").header("accept", "text/html").body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded").header("origin", ORIGIN);
        let answer = request.send().await.unwrap();
        let mut cookies = answer.headers().get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
        let cookie = cookies.rfind(|cookie| cookie.starts_with("sid=")).unwrap();
        Somebody { cookie: cookie.split(';').next().unwrap().to_owned() }
    }

    pub async fn key(&self, scope: Scope) -> String {
        let new = NewApiKey::parse("Office", "office", vec![scope]).unwrap();
        create(&self.state.ctx, &BY, &new).await.unwrap().key.expose_secret().to_owned()
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.address)).header("host", "127.0.0.1:3000")
    }

    /// As somebody's browser asks from a page of ours.
    pub fn by(&self, who: &Somebody, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.request(method, path).header("cookie", &who.cookie).header("sec-fetch-site", "same-origin")
    }

    /// What is answered, held against what the description says of it.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let request = request.build().unwrap();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = self.http.execute(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"))
        };
        described::answers(&method, &path, status, &headers, &body);
        Answer { status, headers, body }
    }

    pub async fn get(&self, who: &Somebody, path: &str) -> Answer {
        self.send(self.by(who, Method::GET, path)).await
    }

    pub async fn patch(&self, who: &Somebody, path: &str, body: &Value) -> Answer {
        self.send(self.by(who, Method::PATCH, path).json(body)).await
    }

    /// Begins an order.
    pub async fn orders(&self, who: &Somebody, key: &str, body: &Value) -> Answer {
        self.send(self.by(who, Method::POST, "/api/credit-orders").header("idempotency-key", key).json(body)).await
    }

    /// A request for credits that waits for an answer.
    pub async fn requested(&self, who: &Somebody, key: &str) -> String {
        let answer = self.orders(who, key, &json!({ "plan": self.plan("enterprise").await, "note": "Please" })).await;
        assert_eq!((answer.status, &answer.body["state"]), (StatusCode::CREATED, &json!("requested")), "{answer:?}");
        answer.body["id"].as_str().unwrap().to_owned()
    }

    pub async fn plan(&self, slug: &str) -> String {
        let sql = "select id::text from plans where slug = $1";
        sqlx::query_scalar(sql).bind(slug).fetch_one(&self.owner).await.unwrap()
    }

    pub async fn execute(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&self.owner).await.unwrap();
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.owner).await.unwrap()
    }

    pub async fn audits_clean(&self) {
        assert_eq!(audit(&self.state.ctx.db).await.unwrap().findings, []);
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
