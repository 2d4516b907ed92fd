//! Load: a number of HTTP/1.1 connections, each of which sends its next request when the last one is answered. An
//! answer that is not the expected one ends the run, for then its figures would mean nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::figures::Rate;

pub type Message = Request<Full<Bytes>>;

/// How long a message that was put off (503) waits before it goes out again, and how often at most.
const AGAIN_AFTER: Duration = Duration::from_millis(50);
const AGAIN_MAX: usize = 100;
/// As much of an unexpected answer as helps to see what it is.
const SHOWN_BYTES: usize = 300;

/// What came of it.
#[derive(Debug, Default)]
pub struct Answers {
    /// From the request to the last byte of its answer. One that was put off counts from its first try.
    pub times: Vec<Duration>,
    /// Answers of 503 that were followed by a 200.
    pub put_off: usize,
    /// From the first request to the last answer.
    pub lasted: Duration,
}

impl Answers {
    pub fn rate(&self) -> Rate {
        Rate::of(self.times.len(), self.lasted)
    }
}

/// Sends what `next` gives over `connections` connections until it gives no more or the time is up. Each answer must
/// have status 200 and a body with `proof` in it.
pub async fn drive<F>(
    address: SocketAddr,
    connections: usize,
    lasts: Duration,
    proof: &'static str,
    next: F,
) -> Result<Answers>
where
    F: Fn() -> Option<Message> + Send + Sync + 'static,
{
    drive_at(None, address, connections, lasts, proof, next).await
}

/// As [`drive`], but each connection sends no more often than `every`; whoever is late sends at once.
pub async fn drive_at<F>(
    every: Option<Duration>,
    address: SocketAddr,
    connections: usize,
    lasts: Duration,
    proof: &'static str,
    next: F,
) -> Result<Answers>
where
    F: Fn() -> Option<Message> + Send + Sync + 'static,
{
    let next = Arc::new(next);
    let mut lines = Vec::new();
    for _ in 0..connections {
        lines.push(Line::open(address).await?);
    }
    let began = Instant::now();
    let mut workers = JoinSet::new();
    for (place, line) in (0_u32..).zip(lines) {
        let next = Arc::clone(&next);
        // Spread over the interval, so that they do not all send at once.
        let turns = every.map(|every| (began + every * place / u32::try_from(connections).unwrap_or(1), every));
        workers.spawn(async move { work(line, began + lasts, turns, proof, &*next).await });
    }
    let mut all = Answers::default();
    while let Some(part) = workers.join_next().await {
        let part = part??;
        all.times.extend(part.times);
        all.put_off += part.put_off;
    }
    all.lasted = began.elapsed();
    if all.times.is_empty() {
        bail!("nothing was answered");
    }
    Ok(all)
}

async fn work(
    mut line: Line,
    until: Instant,
    mut turns: Option<(Instant, Duration)>,
    proof: &str,
    next: &(impl Fn() -> Option<Message> + Sync),
) -> Result<Answers> {
    let mut answers = Answers::default();
    while Instant::now() < until {
        if let Some((turn, every)) = &mut turns {
            tokio::time::sleep(turn.saturating_duration_since(Instant::now())).await;
            *turn += *every;
        }
        let Some(message) = next() else { break };
        let sent = Instant::now();
        answers.put_off += line.send(&message, proof).await?;
        answers.times.push(sent.elapsed());
    }
    Ok(answers)
}

/// One connection at a time. A server may end it after an answer, as HTTP lets it (RFC 9112, section 9.6), and is asked over
/// another one then, as a client does; opening it counts as part of that request.
struct Line {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
    /// Drives the connection, and ends with us.
    _driver: JoinSet<hyper::Result<()>>,
}

impl Line {
    async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        Ok(Self { address, sender, _driver: driver })
    }

    /// Sends until it is taken; says how often it was put off.
    async fn send(&mut self, message: &Message, proof: &str) -> Result<usize> {
        for put_off in 0..AGAIN_MAX {
            self.sender.ready().await?;
            let answer = self.sender.send_request(message.clone()).await?;
            let is_last = answer.headers().get(header::CONNECTION).is_some_and(|value| value == "close");
            let status = answer.status();
            let body = answer.into_body().collect().await?.to_bytes();
            if is_last {
                *self = Self::open(self.address).await?;
            }
            if status == StatusCode::SERVICE_UNAVAILABLE {
                tokio::time::sleep(AGAIN_AFTER).await;
                continue;
            }
            let has_proof = body.windows(proof.len()).any(|window| window == proof.as_bytes());
            if status != StatusCode::OK || !has_proof {
                let shown = String::from_utf8_lossy(&body[..body.len().min(SHOWN_BYTES)]);
                bail!("{} was answered with {status}: {shown}", message.uri());
            }
            return Ok(put_off);
        }
        bail!("{} was put off {AGAIN_MAX} times", message.uri())
    }
}

/// A GET of `path`, with a cookie if there is one.
pub fn get(address: SocketAddr, path: &str, cookie: Option<&str>) -> Result<Message> {
    let mut request = Request::get(path).header(header::HOST, address.to_string());
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    Ok(request.body(Full::default())?)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::routing::get;
    use tokio::net::TcpListener;

    use super::*;

    async fn served(site: Router) -> (SocketAddr, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, site).await.unwrap() });
        (address, tasks)
    }

    async fn ask(path: &'static str, messages: usize) -> Result<Answers> {
        let busy = AtomicUsize::new(2);
        let busy = Arc::new(busy);
        let site = Router::new().route("/fine", get(async || "fine")).route("/wrong", get(async || "else")).route(
            "/busy",
            get(async move || {
                let left = busy.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
                if left.is_ok() { (StatusCode::SERVICE_UNAVAILABLE, "") } else { (StatusCode::OK, "fine") }
            }),
        );
        let (address, _tasks) = served(site).await;
        let left = AtomicUsize::new(messages);
        drive(address, 4, Duration::from_mins(1), "fine", move || {
            left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).ok()?;
            super::get(address, path, None).ok()
        })
        .await
    }

    #[tokio::test]
    async fn every_message_is_sent_once_and_answered() {
        let answers = ask("/fine", 10).await.unwrap();
        assert_eq!((answers.times.len(), answers.put_off), (10, 0));
    }

    #[tokio::test]
    async fn what_is_put_off_goes_out_again() {
        let answers = ask("/busy", 5).await.unwrap();
        assert_eq!((answers.times.len(), answers.put_off), (5, 2));
    }

    #[tokio::test]
    async fn a_connection_that_ends_is_followed_by_another() {
        let last = || async { ([(header::CONNECTION, "close")], "fine") };
        let (address, _tasks) = served(Router::new().route("/last", get(last))).await;
        let left = AtomicUsize::new(9);
        let next = move || {
            left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).ok()?;
            super::get(address, "/last", None).ok()
        };
        assert_eq!(drive(address, 2, Duration::from_mins(1), "fine", next).await.unwrap().times.len(), 9);
    }

    #[tokio::test]
    async fn an_unexpected_answer_ends_the_run() {
        assert!(ask("/wrong", 3).await.unwrap_err().to_string().contains("200 OK: else"));
        assert!(ask("/nowhere", 3).await.unwrap_err().to_string().contains("404"));
    }
}
