//! A mail server for tests: it speaks just enough SMTP, keeps what it was sent, and refuses when it is told to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use atlas::notify::post::{Post, Settings};
use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// One mail as it arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    pub to: Vec<String>,
    /// Headers and body.
    pub text: String,
}

impl Arrived {
    /// A header's value; nothing if there is none.
    pub fn header(&self, name: &str) -> &str {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default();
        let line =
            head.split("\r\n").find(|line| line.to_lowercase().starts_with(&format!("{}:", name.to_lowercase())));
        line.map(|line| line[name.len() + 1..].trim()).unwrap_or_default()
    }
}

#[derive(Default)]
struct State {
    arrived: Vec<Arrived>,
    /// Answers to `RCPT TO`, one after another; when there is none left, it accepts.
    refusals: VecDeque<String>,
    /// What every mail is refused with.
    always: Option<String>,
}

#[derive(Clone)]
pub struct MailServer {
    state: Arc<Mutex<State>>,
    address: std::net::SocketAddr,
}

impl MailServer {
    #[expect(clippy::disallowed_methods, reason = "a server of the test's own")]
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { state: Arc::default(), address: listener.local_addr().unwrap() };
        let state = server.state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, state.clone()));
            }
        });
        server
    }

    /// A post office that sends through it.
    pub fn post(&self, admins: &str) -> Post {
        let url = SecretString::from(format!("smtp://{}", self.address));
        Post::new(Settings::parse(&url, "Atlas Credits <credits@atlas.example>", admins).unwrap()).unwrap()
    }

    /// A post office whose server is not there.
    pub async fn nowhere() -> Post {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = SecretString::from(format!("smtp://{}", listener.local_addr().unwrap()));
        drop(listener);
        Post::new(Settings::parse(&url, "credits@atlas.example", "").unwrap()).unwrap()
    }

    pub fn refuses_always(&self, answer: &str) {
        self.state.lock().unwrap().always = Some(answer.to_owned());
    }

    pub fn refuses_once(&self, answer: &str) {
        self.state.lock().unwrap().refusals.push_back(answer.to_owned());
    }

    pub fn accepts(&self) {
        self.state.lock().unwrap().always = None;
    }

    pub fn arrived(&self) -> Vec<Arrived> {
        self.state.lock().unwrap().arrived.clone()
    }
}

async fn talk(stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut stream = BufReader::new(stream);
    let mut to = Vec::new();
    let mut answer = "220 mail.test".to_owned();
    loop {
        if stream.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            return;
        }
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        let word = line.trim_end().to_uppercase();
        answer = if let Some(rest) = word.strip_prefix("RCPT TO:") {
            let mut state = state.lock().unwrap();
            state.refusals.pop_front().or_else(|| state.always.clone()).unwrap_or_else(|| {
                to.push(rest.trim_matches(['<', '>']).to_lowercase());
                "250 ok".to_owned()
            })
        } else if word == "DATA" {
            if stream.write_all(b"354 go on\r\n").await.is_err() {
                return;
            }
            let mut text = String::new();
            while !text.ends_with("\r\n.\r\n") {
                if stream.read_line(&mut text).await.unwrap_or(0) == 0 {
                    return;
                }
            }
            let arrived = Arrived { to: std::mem::take(&mut to), text };
            state.lock().unwrap().arrived.push(arrived);
            "250 kept".to_owned()
        } else if word == "QUIT" {
            let _ = stream.write_all(b"221 bye\r\n").await;
            return;
        } else {
            if word == "RSET" {
                to.clear();
            }
            "250 ok".to_owned()
        };
    }
}
