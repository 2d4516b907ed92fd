//! The accept loop: limits on how many connections there are, from whom, how long a header may take and how long a connection
//! lasts, and an end that lets running requests finish.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use futures::StreamExt as _;
use http::HeaderValue;
use http::header::{CONNECTION, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use super::Stop;
use super::heads::{Heads, Watched};
use super::seats::{Seat, Seats};
use crate::layers::client::Proxies;

const CONNECTIONS_MAX: usize = 2_000;
/// From one address. Our own proxies speak for many.
const CONNECTIONS_EACH_MAX: usize = 100;
/// Then a client opens another one, perhaps to a process that has less to do.
const REQUESTS_MAX: u32 = 1_000;
/// Between two requests: longer than proxies keep theirs, so that none sends a request into a connection that just ends.
const KEEP_ALIVE: Duration = Duration::from_mins(1);
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(10);
const HEADER_BYTES_MAX: usize = 16 * 1024;
/// How long running requests may take after the signal to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(25);
/// When accepting fails for want of descriptors, a pause gives some back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until a signal, then until the last request is answered, the time is up or a second signal comes.
pub async fn until_stopped(listener: TcpListener, site: Router, proxies: &Proxies, stop: &mut impl Stop) {
    let room =
        Room { places: Arc::new(Semaphore::new(CONNECTIONS_MAX)), seats: Seats::new(CONNECTIONS_EACH_MAX), proxies };
    let (closing, _) = watch::channel(());
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            () = stop.next() => break,
        };
        while connections.try_join_next().is_some() {}
        let Some((stream, place)) = accepted else { continue };
        let (site, closing) = (site.clone(), closing.subscribe());
        connections.spawn(async move {
            answer(stream, site, closing).await;
            drop(place);
        });
    }
    drop(listener);
    tracing::info!(connections = connections.len(), "stopping");
    closing.send_replace(());
    tokio::select! {
        () = async { while connections.join_next().await.is_some() {} } => {}
        () = tokio::time::sleep(DRAIN_TIMEOUT) => tracing::warn!("cutting off requests that did not end in time"),
        () = stop.next() => tracing::warn!("second signal: cutting off running requests"),
    }
    connections.shutdown().await;
}

/// Who may come in.
struct Room<'a> {
    places: Arc<Semaphore>,
    seats: Seats,
    proxies: &'a Proxies,
}

/// A connection's place among all, and among those of its address.
type Place = (tokio::sync::OwnedSemaphorePermit, Option<Seat>);

/// The next connection, when there is room for it.
async fn accept(listener: &TcpListener, room: &Room<'_>) -> Option<(TcpStream, Place)> {
    let place = Arc::clone(&room.places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) if room.proxies.holds(peer.ip()) => Some((stream, (place, None))),
        Ok((stream, peer)) => {
            let seat = room.seats.take(peer.ip());
            if seat.is_none() {
                tracing::debug!("an address has too many connections");
            }
            seat.map(|seat| (stream, (place, Some(seat))))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection can't be accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn answer(stream: TcpStream, site: Router, mut closing: watch::Receiver<()>) {
    // Answers are written whole; waiting to fill a packet only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let Ok(peer) = stream.peer_addr() else { return };
    let for_streams = closing.clone();
    let heads = Heads::new();
    let (arriving, leaving) = (heads.clone(), heads.clone());
    let answered = Arc::new(AtomicU32::new(0));
    let site = site
        .map_request(move |mut request: http::Request<hyper::body::Incoming>| {
            arriving.is_whole();
            request.extensions_mut().insert(ConnectInfo(peer));
            request.map(Body::new)
        })
        .map_response(move |mut response: Response| {
            leaving.is_answered();
            if answered.fetch_add(1, Ordering::Relaxed) + 1 >= REQUESTS_MAX {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            end_with_us(response, for_streams.clone())
        });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(KEEP_ALIVE)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(Watched { stream, heads: heads.clone() }), TowerToHyperService::new(site));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = heads.late(HEADER_READ_TIMEOUT) => return tracing::debug!("a header took too long"),
        _ = closing.changed() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = heads.late(HEADER_READ_TIMEOUT) => return tracing::debug!("a header took too long"),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}

/// An event stream would hold up the end for as long as a page is open. Pages ask anew by themselves.
fn end_with_us(response: Response, mut closing: watch::Receiver<()>) -> Response {
    let is_stream = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
    if !is_stream {
        return response;
    }
    response.map(|body| {
        let stopped = Box::pin(async move { closing.changed().await });
        Body::from_stream(body.into_data_stream().take_until(stopped))
    })
}

#[cfg(test)]
mod tests;
