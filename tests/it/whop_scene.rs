//! A client of Whop's API that is pointed at a scripted server on this machine, with short waits.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use atlas::providers::whop::{Client, Limits, Settings};
use serde_json::Value;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers};

pub const KEY: &str = "apik_a_key_that_nobody_may_see";

pub fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(5),
        attempt: Duration::from_secs(5),
        call: Duration::from_secs(15),
        wait: Duration::from_millis(2),
        ..Limits::default()
    }
}

pub fn client_at(api_url: &str, limits: Limits) -> Client {
    let (api_url, company_id) = (api_url.to_owned(), "biz_Ex0001".to_owned());
    Client::new(Settings { api_url, api_key: KEY.into(), company_id, limits }).unwrap()
}

/// A server, and a client that knows it by its REST base.
pub async fn scene() -> (MockServer, Client) {
    let server = MockServer::start().await;
    let client = client_at(&format!("{}/api/v1/", server.uri()), limits());
    (server, client)
}

/// Gives its answers one after another; the last one again and again.
pub struct InTurn(std::sync::Mutex<Vec<ResponseTemplate>>);

impl InTurn {
    pub fn new(answers: impl IntoIterator<Item = ResponseTemplate>) -> Self {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        Self(std::sync::Mutex::new(answers))
    }
}

impl Respond for InTurn {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        let mut answers = self.0.lock().unwrap();
        if answers.len() > 1 { answers.pop().unwrap() } else { answers[0].clone() }
    }
}

/// Every request is answered by these, in turn.
pub async fn answers(server: &MockServer, in_turn: impl IntoIterator<Item = ResponseTemplate>) {
    Mock::given(matchers::any()).respond_with(InTurn::new(in_turn)).mount(server).await;
}

pub async fn asked(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.unwrap()
}

pub fn ok(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

pub fn status(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status)
}

pub fn fixture(pointer: &str) -> Value {
    let file: Value = serde_json::from_str(include_str!("../vectors/whop-fixtures.json")).unwrap();
    file.pointer(pointer).unwrap().clone()
}

/// A header's value, or nothing.
pub fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}
