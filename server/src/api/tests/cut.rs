//! A way to the database that can be cut at the worst moment: after the server has committed, before anybody hears of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Passes everything on. For each cut that is ordered, the answer to one COMMIT is dropped and its connection closed.
#[derive(Clone)]
pub struct Wire {
    cuts: Arc<AtomicUsize>,
}

impl Wire {
    /// The wire, and the way through it.
    pub async fn lay(to: PgConnectOptions) -> (Self, PgConnectOptions) {
        let wire = Self { cuts: Arc::default() };
        let server = (to.get_host().to_owned(), to.get_port());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let laid = wire.clone();
        atlas::tasks::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                atlas::tasks::spawn(laid.clone().pass(client, server));
            }
        });
        (wire, to.host("127.0.0.1").port(port))
    }

    pub fn cut_next_commits(&self, count: usize) {
        self.cuts.store(count, Ordering::SeqCst);
    }

    /// How many cuts were ordered and not made.
    pub fn left(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }

    async fn pass(self, mut client: TcpStream, mut server: TcpStream) {
        let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
        loop {
            tokio::select! {
                read = client.read(&mut asked) => {
                    let Ok(count @ 1..) = read else { return };
                    if server.write_all(&asked[..count]).await.is_err() {
                        return;
                    }
                    let commits = asked[..count].windows(6).any(|word| word == b"COMMIT");
                    if commits && self.cuts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
                        // Its answer shows that it is done. Nobody else will know.
                        let _ = server.read(&mut answered).await;
                        return;
                    }
                }
                read = server.read(&mut answered) => {
                    let Ok(count @ 1..) = read else { return };
                    if client.write_all(&answered[..count]).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}
