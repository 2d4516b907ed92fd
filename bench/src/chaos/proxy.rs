//! A small TCP proxy of our own. What is behind it can change while connections run, and connections can be cut or
//! half closed: that is how the storm moves a database, loses a server, and breaks a line.

pub mod early;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, copy, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::dice::Dice;

/// How long the server is left in the belief that a half closed client still listens.
const HALF_CLOSED_FOR: Duration = Duration::from_millis(300);

/// Where a connection may lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// How a line breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Break {
    Cut,
    /// The client hears the end; the server does not, for a while.
    HalfClose,
}

/// What is done to the bytes in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Manner {
    #[default]
    Honest,
    /// Tells clients of PostgreSQL that their COMMIT was done before the server has heard of it.
    EarlyCommit,
}

pub struct Proxy {
    pub address: SocketAddr,
    lines: Arc<Lines>,
    /// Ends with us.
    _accepting: JoinSet<()>,
}

#[derive(Default)]
struct Lines {
    targets: Mutex<Vec<Target>>,
    turn: AtomicUsize,
    number: AtomicU64,
    open: Mutex<HashMap<u64, oneshot::Sender<Break>>>,
    manner: Mutex<Manner>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Proxy {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let lines = Arc::new(Lines::default());
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, Arc::clone(&lines)));
        Ok(Self { address, lines, _accepting: accepting })
    }

    /// New connections take turns among these; those that are open stay.
    pub fn lead_to(&self, targets: Vec<Target>) {
        *locked(&self.lines.targets) = targets;
    }

    /// How lines are served that open from now on.
    pub fn serve(&self, manner: Manner) {
        *locked(&self.lines.manner) = manner;
    }

    /// Breaks about so many of the open connections, every other one only half. Returns how many.
    pub fn break_lines(&self, percent: u64, dice: &mut Dice) -> usize {
        let mut open = locked(&self.lines.open);
        let mut numbers: Vec<u64> = open.keys().copied().collect();
        numbers.sort_unstable();
        numbers.retain(|_| dice.chance(percent));
        for number in &numbers {
            let how = if dice.chance(50) { Break::Cut } else { Break::HalfClose };
            if let Some(line) = open.remove(number) {
                // It fails only when the line has ended by itself.
                let _ = line.send(how);
            }
        }
        numbers.len()
    }

    pub fn cut_all(&self) {
        for (_, line) in locked(&self.lines.open).drain() {
            let _ = line.send(Break::Cut);
        }
    }
}

async fn accept(listener: TcpListener, lines: Arc<Lines>) {
    let mut running = JoinSet::new();
    loop {
        while running.try_join_next().is_some() {}
        let Ok((client, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let lines = Arc::clone(&lines);
        running.spawn(async move {
            // A line that breaks is what this is for.
            let _ = client.set_nodelay(true);
            let number = lines.number.fetch_add(1, Ordering::Relaxed);
            let (broken, breaks) = oneshot::channel();
            locked(&lines.open).insert(number, broken);
            let manner = *locked(&lines.manner);
            let _ = lead(&lines, client, breaks, manner).await;
            locked(&lines.open).remove(&number);
        });
    }
}

/// Connects to the first target in turn that answers, and passes on what is said.
async fn lead(
    lines: &Lines,
    client: TcpStream,
    breaks: oneshot::Receiver<Break>,
    manner: Manner,
) -> std::io::Result<()> {
    let mut targets = locked(&lines.targets).clone();
    if !targets.is_empty() {
        let turn = lines.turn.fetch_add(1, Ordering::Relaxed) % targets.len();
        targets.rotate_left(turn);
    }
    for target in targets {
        match target {
            Target::Tcp(address) => {
                if let Ok(server) = TcpStream::connect(address).await {
                    let _ = server.set_nodelay(true);
                    return pass_on(client, server, breaks, manner).await;
                }
            }
            Target::Unix(path) => {
                if let Ok(server) = UnixStream::connect(path).await {
                    return pass_on(client, server, breaks, manner).await;
                }
            }
        }
    }
    Ok(())
}

async fn pass_on<S: AsyncRead + AsyncWrite + Unpin>(
    mut client: TcpStream,
    mut server: S,
    breaks: oneshot::Receiver<Break>,
    manner: Manner,
) -> std::io::Result<()> {
    let broken = {
        let passing = async {
            match manner {
                Manner::Honest => copy_bidirectional(&mut client, &mut server).await.map(drop),
                Manner::EarlyCommit => early::pass_on(&mut client, &mut server).await,
            }
        };
        tokio::select! {
            passed = passing => return passed,
            broken = breaks => broken,
        }
    };
    if broken == Ok(Break::HalfClose) {
        client.shutdown().await?;
        // What the client still sends arrives; what the server answers is lost.
        let _ = tokio::time::timeout(HALF_CLOSED_FOR, copy(&mut client, &mut server)).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use tokio::io::AsyncReadExt as _;

    use super::*;

    /// Answers every byte with `name`.
    async fn server(name: u8) -> (SocketAddr, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut lines = JoinSet::new();
            loop {
                let (mut line, _) = listener.accept().await.unwrap();
                lines.spawn(async move {
                    while line.read_u8().await.is_ok() {
                        line.write_u8(name).await.unwrap();
                    }
                });
            }
        });
        (address, tasks)
    }

    async fn ask(line: &mut TcpStream) -> std::io::Result<u8> {
        line.write_u8(0).await?;
        line.read_u8().await
    }

    #[tokio::test]
    async fn targets_change_under_way_and_dead_ones_are_passed_over() {
        let ((a, _a), (b, _b)) = (server(b'a').await, server(b'b').await);
        let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let proxy = Proxy::start().await.unwrap();
        proxy.lead_to(vec![Target::Tcp(dead), Target::Tcp(a)]);
        let mut first = TcpStream::connect(proxy.address).await.unwrap();
        assert_eq!(ask(&mut first).await.unwrap(), b'a');
        proxy.lead_to(vec![Target::Tcp(b)]);
        let mut second = TcpStream::connect(proxy.address).await.unwrap();
        assert_eq!((ask(&mut first).await.unwrap(), ask(&mut second).await.unwrap()), (b'a', b'b'));
    }

    #[tokio::test]
    async fn a_broken_line_ends_for_the_client() {
        let (a, _a) = server(b'a').await;
        let proxy = Proxy::start().await.unwrap();
        proxy.lead_to(vec![Target::Tcp(a)]);
        for _ in 0..8 {
            let mut line = TcpStream::connect(proxy.address).await.unwrap();
            assert_eq!(ask(&mut line).await.unwrap(), b'a');
            assert_eq!(proxy.break_lines(100, &mut Dice::new(3, 3)), 1);
            let mut rest = Vec::new();
            assert_eq!(line.read_to_end(&mut rest).await.unwrap_or_default(), 0);
        }
    }
}
