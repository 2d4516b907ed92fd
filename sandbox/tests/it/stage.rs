//! A running sandbox, a client that has its key, and an endpoint that writes down what it receives.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use clap::Parser;
use reqwest::{Client, RequestBuilder, Response};
use sandbox::Running;
use sandbox::options::Options;
use serde_json::{Value, json};

pub const KEY: &str = "sandbox-test-key";
pub const SECRET: &str = "ws_7f3b1c9e5d2a4860b7c1e9f0a2d4c6b8e1f30527496b8dacef1032547698badc";

pub struct Stage {
    pub running: Running,
    pub client: Client,
    pub base: String,
    pub inbox: Inbox,
}

impl Stage {
    /// A sandbox that settles at once and retries a thousand times faster than Whop.
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    pub async fn with(flags: &[&str]) -> Self {
        let inbox = Inbox::start().await;
        let usual = [
            "sandbox",
            "--listen=127.0.0.1:0",
            "--api-key",
            KEY,
            "--company-id=biz_Test01",
            "--webhook-url",
            &inbox.url,
            "--webhook-secret",
            SECRET,
            "--settle-ms=20",
            "--time-scale=1000",
            "--seed=1",
        ];
        // A later flag wins over the usual one.
        let arguments = usual.iter().filter(|usual| !flags.iter().any(|flag| same_flag(usual, flag))).chain(flags);
        let running = sandbox::start(&Options::try_parse_from(arguments).unwrap()).await.unwrap();
        let base = format!("http://{}", running.address);
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(10))
            .no_proxy()
            .build()
            .unwrap();
        Self { running, client, base, inbox }
    }

    /// A call with the key and the version.
    pub fn api(&self, method: &str, path: &str) -> RequestBuilder {
        let url = format!("{}/api/v1{path}", self.base);
        let request = self.client.request(method.parse().unwrap(), url);
        request.bearer_auth(KEY).header("api-version-date", "2026-10-15-1")
    }

    pub async fn get(&self, path: &str) -> Value {
        read(self.api("GET", path).send().await.unwrap()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        read(self.api("POST", path).json(&body).send().await.unwrap()).await
    }

    /// A control route; the answer must be a success.
    pub async fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let url = format!("{}/sandbox{path}", self.base);
        let request = self.client.request(method.parse().unwrap(), url).json(&body);
        let response = request.send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        read(response).await
    }

    /// A checkout for $7.50 with our order's id.
    pub async fn checkout(&self) -> Value {
        self.post(
            "/checkout_configurations",
            json!({
                "account_id": "biz_Test01",
                "plan": { "plan_type": "one_time", "initial_price": 7.5, "currency": "usd", "title": "Starter" },
                "metadata": { "order_id": "ord_1" },
                "redirect_url": "https://shop.test/return?order=ord_1",
            }),
        )
        .await
    }

    /// A paid payment's id.
    pub async fn paid(&self) -> String {
        let checkout = self.checkout().await;
        let paid = self.control("POST", "/pay", json!({ "checkout_id": checkout["id"] })).await;
        assert_eq!(paid["status"], "paid");
        text(&paid["payment_id"])
    }
}

fn same_flag(one: &str, other: &str) -> bool {
    let name = |flag: &str| flag.split('=').next().map(str::to_owned);
    one.starts_with("--") && name(one) == name(other)
}

pub async fn read(response: Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// One delivery as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    pub id: String,
    pub timestamp: i64,
    pub signature: String,
    pub body: Vec<u8>,
    pub at: Instant,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn event(&self) -> String {
        text(&self.json()["type"])
    }
}

/// The seller's endpoint.
#[derive(Clone)]
pub struct Inbox {
    pub url: String,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    received: Vec<Received>,
    answers: VecDeque<StatusCode>,
    always: Option<StatusCode>,
}

impl Inbox {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let kept = Arc::new(Mutex::new(Kept::default()));
        let app = Router::new().route("/hooks", post(receive)).with_state(Arc::clone(&kept));
        sandbox::tasks::spawn(async move { axum::serve(listener, app).await });
        Self { url, kept }
    }

    /// The next answers, then 200 again.
    pub fn will_answer(&self, statuses: &[u16]) {
        let statuses = statuses.iter().map(|status| StatusCode::from_u16(*status).unwrap());
        self.kept.lock().unwrap().answers.extend(statuses);
    }

    pub fn always_answers(&self, status: u16) {
        self.kept.lock().unwrap().always = Some(StatusCode::from_u16(status).unwrap());
    }

    pub fn all(&self) -> Vec<Received> {
        self.kept.lock().unwrap().received.clone()
    }

    /// Waits until `enough` deliveries satisfy `wanted`, and returns all that do.
    pub async fn wait(&self, enough: usize, wanted: impl Fn(&Received) -> bool) -> Vec<Received> {
        let limit = Instant::now() + Duration::from_secs(8);
        loop {
            let found: Vec<_> = self.all().into_iter().filter(&wanted).collect();
            if found.len() >= enough {
                return found;
            }
            assert!(Instant::now() < limit, "only {} of {enough} deliveries came: {:?}", found.len(), self.events());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn wait_for(&self, event: &str) -> Received {
        self.wait(1, |received| received.event() == event).await.remove(0)
    }

    pub fn events(&self) -> Vec<String> {
        self.all().iter().map(Received::event).collect()
    }
}

async fn receive(State(kept): State<Arc<Mutex<Kept>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let received = Received {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp").parse().unwrap(),
        signature: header("webhook-signature"),
        body: body.to_vec(),
        at: Instant::now(),
    };
    let mut kept = kept.lock().unwrap();
    kept.received.push(received);
    let next = kept.answers.pop_front();
    next.or(kept.always).unwrap_or(StatusCode::OK)
}
