//! A planted bug: between a client and PostgreSQL, COMMIT is answered before the server has heard of it, as a pooler or
//! a write-behind cache would. What the client then acknowledges may be lost. (PostgreSQL, frontend/backend protocol.)

use std::io::{Error, ErrorKind, Result};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

const LATE_BY: Duration = Duration::from_millis(150);
const MESSAGE_BYTES_MAX: u32 = 64 << 20;
const QUEUED_MAX: usize = 1_024;
/// `CommandComplete` for COMMIT, and `ReadyForQuery` outside a transaction.
const DONE: &[u8] = b"C\0\0\0\x0bCOMMIT\0Z\0\0\0\x05I";

type Answers = mpsc::Sender<Vec<u8>>;

pub async fn pass_on<S: AsyncRead + AsyncWrite + Unpin>(client: &mut TcpStream, server: &mut S) -> Result<()> {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = split(server);
    let (answers, mut answered) = mpsc::channel(QUEUED_MAX);
    // How many COMMITs were answered by us, whose true answers nobody may see any more.
    let unheard = AtomicUsize::new(0);
    let out = async {
        while let Some(bytes) = answered.recv().await {
            let bytes: Vec<u8> = bytes;
            to_client.write_all(&bytes).await?;
        }
        Ok(())
    };
    tokio::select! {
        ended = up(&mut from_client, &mut to_server, &answers, &unheard) => ended,
        ended = down(&mut from_server, &answers, &unheard) => ended,
        ended = out => ended,
    }
}

async fn up(
    client: &mut (impl AsyncRead + Unpin),
    server: &mut (impl AsyncWrite + Unpin),
    answers: &Answers,
    unheard: &AtomicUsize,
) -> Result<()> {
    server.write_all(&message(client, None).await?).await?;
    loop {
        let kind = client.read_u8().await?;
        let sent = message(client, Some(kind)).await?;
        if kind == b'Q' && sent[5..].eq_ignore_ascii_case(b"commit\0") {
            unheard.fetch_add(1, Ordering::SeqCst);
            tell(answers, DONE.to_vec()).await?;
            tokio::time::sleep(LATE_BY).await;
        }
        server.write_all(&sent).await?;
    }
}

async fn down(server: &mut (impl AsyncRead + Unpin), answers: &Answers, unheard: &AtomicUsize) -> Result<()> {
    loop {
        let kind = server.read_u8().await?;
        let said = message(server, Some(kind)).await?;
        if unheard.load(Ordering::SeqCst) == 0 {
            tell(answers, said).await?;
        } else if kind == b'Z' {
            unheard.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

async fn tell(answers: &Answers, bytes: Vec<u8>) -> Result<()> {
    answers.send(bytes).await.map_err(|_| Error::from(ErrorKind::BrokenPipe))
}

/// One whole message, its kind and length with it. The first one of a connection has no kind.
async fn message(from: &mut (impl AsyncRead + Unpin), kind: Option<u8>) -> Result<Vec<u8>> {
    let length = from.read_u32().await?;
    if !(4..MESSAGE_BYTES_MAX).contains(&length) {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut bytes: Vec<u8> = kind.into_iter().chain(length.to_be_bytes()).collect();
    let head = bytes.len();
    bytes.resize(head + length as usize - 4, 0);
    from.read_exact(&mut bytes[head..]).await?;
    Ok(bytes)
}
