//! A post office that takes every mail and remembers when it came (RFC 5321, as little of it as a sender needs).

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// When each mail came, by its Message-ID.
type Arrivals = HashMap<String, Vec<Instant>>;

pub struct PostOffice {
    pub address: SocketAddr,
    arrivals: Arc<Mutex<Arrivals>>,
    _open: JoinSet<()>,
}

impl PostOffice {
    /// Takes so long over each mail.
    pub async fn open(each_takes: Duration) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let arrivals = Arc::new(Mutex::new(Arrivals::new()));
        let counter = Arc::clone(&arrivals);
        let mut open = JoinSet::new();
        open.spawn(async move {
            let mut senders = JoinSet::new();
            loop {
                while senders.try_join_next().is_some() {}
                let Ok((sender, _)) = listener.accept().await else { continue };
                let counter = Arc::clone(&counter);
                senders.spawn(async move {
                    // A sender that hangs up, or is killed, is what this is for.
                    let _ = serve(sender, &counter, each_takes).await;
                });
            }
        });
        Ok(Self { address, arrivals, _open: open })
    }

    pub fn arrivals(&self) -> Arrivals {
        locked(&self.arrivals).clone()
    }
}

async fn serve(mut sender: TcpStream, arrivals: &Mutex<Arrivals>, each_takes: Duration) -> std::io::Result<()> {
    sender.set_nodelay(true)?;
    let (from, mut to) = sender.split();
    let mut lines = BufReader::new(from).lines();
    to.write_all(b"220 storm\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let verb = line.get(..4).unwrap_or(&line).to_ascii_uppercase();
        let answer: &[u8] = match verb.as_str() {
            "DATA" => {
                to.write_all(b"354 go on\r\n").await?;
                let mut id = None;
                loop {
                    // Without its last line it is no mail (section 4.1.1.4): its sender was killed, or its line cut.
                    let Some(line) = lines.next_line().await? else { return Ok(()) };
                    if line == "." {
                        break;
                    }
                    if let Some((name, value)) = line.split_once(": ")
                        && name.eq_ignore_ascii_case("message-id")
                    {
                        id = Some(value.trim().to_owned());
                    }
                }
                tokio::time::sleep(each_takes).await;
                locked(arrivals).entry(id.unwrap_or_default()).or_default().push(Instant::now());
                b"250 taken\r\n"
            }
            "QUIT" => b"221 bye\r\n",
            _ => b"250 fine\r\n",
        };
        to.write_all(answer).await?;
        if verb == "QUIT" {
            break;
        }
    }
    Ok(())
}

fn locked(arrivals: &Mutex<Arrivals>) -> MutexGuard<'_, Arrivals> {
    arrivals.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn a_mail_is_remembered_by_its_id() {
        let office = PostOffice::open(Duration::ZERO).await.unwrap();
        for _ in 0..2 {
            let mut sender = TcpStream::connect(office.address).await.unwrap();
            let said = "EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nMessage-ID: <mail.7@b>\r\n\r\nHello\r\n.\r\nQUIT\r\n";
            sender.write_all(said.as_bytes()).await.unwrap();
            let mut answers = String::new();
            sender.read_to_string(&mut answers).await.unwrap();
            assert!(answers.ends_with("354 go on\r\n250 taken\r\n221 bye\r\n"), "{answers}");
        }
        assert_eq!(office.arrivals()["<mail.7@b>"].len(), 2);
    }

    #[tokio::test]
    async fn a_mail_that_is_cut_off_never_came() {
        let office = PostOffice::open(Duration::ZERO).await.unwrap();
        for said in ["EHLO a\r\nDATA\r\n", "EHLO a\r\nDATA\r\nMessage-ID: <mail.7@b>\r\n\r\nHel"] {
            let mut sender = TcpStream::connect(office.address).await.unwrap();
            sender.write_all(said.as_bytes()).await.unwrap();
            sender.shutdown().await.unwrap();
            let mut answers = String::new();
            sender.read_to_string(&mut answers).await.unwrap();
            assert!(answers.ends_with("354 go on\r\n"), "{answers}");
        }
        assert_eq!(office.arrivals().len(), 0);
    }
}
