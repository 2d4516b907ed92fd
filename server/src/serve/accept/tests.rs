#![expect(clippy::unwrap_used, reason = "tests")]

use std::net::SocketAddr;
use std::sync::Arc;

use axum::response::Sse;
use axum::response::sse::Event;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;

impl Stop for mpsc::Receiver<()> {
    async fn next(&mut self) {
        if self.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

struct Server {
    address: SocketAddr,
    signal: mpsc::Sender<()>,
    ended: JoinSet<()>,
    /// A slow request has begun.
    begun: Arc<Notify>,
    /// Lets it end.
    go_on: Arc<Notify>,
}

async fn start() -> Server {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = {
        let (begun, go_on) = (begun.clone(), go_on.clone());
        async move || {
            begun.notify_one();
            go_on.notified().await;
            "done"
        }
    };
    let endless = async || Sse::new(futures::stream::pending::<Result<Event, std::convert::Infallible>>());
    let site = Router::new().route("/slow", get(slow)).route("/events", get(endless)).route("/", get(async || "here"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (signal, mut stop) = mpsc::channel(2);
    let mut ended = JoinSet::new();
    ended.spawn(async move { until_stopped(listener, site, &Proxies::default(), &mut stop).await });
    Server { address, signal, ended, begun, go_on }
}

async fn ask(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: here\r\n\r\n").as_bytes()).await.unwrap();
    stream
}

async fn rest(mut stream: TcpStream) -> String {
    let mut text = String::new();
    timeout(Duration::from_secs(5), stream.read_to_string(&mut text)).await.unwrap().unwrap();
    text
}

async fn is_over(mut ended: JoinSet<()>) {
    timeout(Duration::from_secs(5), ended.join_next()).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_running_request_is_answered_before_the_end() {
    let server = start().await;
    let slow = ask(server.address, "/slow").await;
    server.begun.notified().await;
    server.signal.send(()).await.unwrap();
    server.go_on.notify_one();
    assert!(rest(slow).await.ends_with("done"));
    is_over(server.ended).await;
}

#[tokio::test]
async fn idle_connections_and_event_streams_do_not_hold_up_the_end() {
    let server = start().await;
    let mut idle = ask(server.address, "/").await;
    let mut stream = ask(server.address, "/events").await;
    let mut first = [0; 12];
    for connection in [&mut idle, &mut stream] {
        connection.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
    }
    server.signal.send(()).await.unwrap();
    rest(idle).await;
    rest(stream).await;
    is_over(server.ended).await;
}

#[tokio::test]
async fn a_second_signal_cuts_a_request_off() {
    let server = start().await;
    let slow = ask(server.address, "/slow").await;
    server.begun.notified().await;
    server.signal.send(()).await.unwrap();
    server.signal.send(()).await.unwrap();
    is_over(server.ended).await;
    assert_eq!(rest(slow).await, "");
}

#[tokio::test(start_paused = true)]
async fn a_header_that_never_ends_is_given_up() {
    let server = start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: he").await.unwrap();
    let began = tokio::time::Instant::now();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "");
    assert!(began.elapsed() <= HEADER_READ_TIMEOUT + Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_second_header_that_never_ends_is_given_up_as_soon() {
    let server = start().await;
    let mut stream = ask(server.address, "/").await;
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.unwrap();
    tokio::time::sleep(HEADER_READ_TIMEOUT * 2).await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: he").await.unwrap();
    let began = tokio::time::Instant::now();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(began.elapsed() <= HEADER_READ_TIMEOUT + Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_connection_rests_for_a_minute_and_no_longer() {
    let server = start().await;
    let mut stream = ask(server.address, "/").await;
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.unwrap();
    let began = tokio::time::Instant::now();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    let rested = began.elapsed();
    assert!(rested + Duration::from_secs(2) > KEEP_ALIVE && rested < KEEP_ALIVE + Duration::from_secs(2), "{rested:?}");
}

#[tokio::test]
async fn t70_one_address_does_not_take_every_connection() {
    let server = start().await;
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS_EACH_MAX {
        let mut stream = ask(server.address, "/").await;
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.unwrap();
        held.push(stream);
    }
    let mut one_more = TcpStream::connect(server.address).await.unwrap();
    // Closed, by whichever of its names.
    assert!(!matches!(timeout(Duration::from_secs(5), one_more.read(&mut [0; 1])).await.unwrap(), Ok(1..)));
    let elsewhere = tokio::net::TcpSocket::new_v4().unwrap();
    elsewhere.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut elsewhere = elsewhere.connect(server.address).await.unwrap();
    elsewhere.write_all(b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(rest(elsewhere).await.ends_with("here"));
    drop(held.pop());
    let again = async {
        loop {
            let mut stream = TcpStream::connect(server.address).await.unwrap();
            // It may be closed already.
            let asked = stream.write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n").await;
            if asked.is_ok() && matches!(stream.read(&mut [0; 12]).await, Ok(1..)) {
                return;
            }
        }
    };
    timeout(Duration::from_secs(5), again).await.unwrap();
}

#[tokio::test]
async fn a_connection_ends_after_so_many_requests() {
    let server = start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let (mut reads, mut writes) = stream.split();
    let requests = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n".repeat(REQUESTS_MAX as usize);
    let mut answers = String::new();
    let (written, read) = tokio::join!(writes.write_all(&requests), reads.read_to_string(&mut answers));
    written.unwrap();
    read.unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200").count(), REQUESTS_MAX as usize);
    assert_eq!(answers.matches("connection: close").count(), 1);
}
