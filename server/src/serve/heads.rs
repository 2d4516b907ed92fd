//! How long the head of a request may take. Between two requests a connection may rest longer than a head may take to
//! arrive, and hyper has one clock for both; so the bytes that come in are watched here.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// When the head began to arrive that is not whole yet.
#[derive(Debug, Clone)]
pub struct Heads(watch::Sender<Phase>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing is asked.
    Rests,
    Arrives(Instant),
    /// A request is being answered; what comes in is its body.
    Answers,
}

impl Heads {
    /// The first head is awaited from now on.
    pub fn new() -> Self {
        Self(watch::Sender::new(Phase::Arrives(Instant::now())))
    }

    pub fn is_whole(&self) {
        self.0.send_replace(Phase::Answers);
    }

    pub fn is_answered(&self) {
        self.0.send_replace(Phase::Rests);
    }

    fn bytes_came(&self) {
        self.0.send_if_modified(|phase| {
            let begins = *phase == Phase::Rests;
            if begins {
                *phase = Phase::Arrives(Instant::now());
            }
            begins
        });
    }

    /// Ends when a head takes longer than that.
    pub async fn late(&self, after: Duration) {
        let mut phases = self.0.subscribe();
        loop {
            let phase = *phases.borrow_and_update();
            let changed = match phase {
                Phase::Arrives(began) => tokio::select! {
                    () = sleep_until(began + after) => return,
                    changed = phases.changed() => changed,
                },
                Phase::Rests | Phase::Answers => phases.changed().await,
            };
            if changed.is_err() {
                return;
            }
        }
    }
}

/// A connection whose incoming bytes are noticed.
pub struct Watched<S> {
    pub stream: S,
    pub heads: Heads,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            self.heads.bytes_came();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
