//! Applications that spend credits during the storm, each with a journal of every answer. They repeat what they got no
//! answer for under the same key, repeat what was answered, send the same key twice at once, and misuse a key.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use sqlx::types::Uuid;
use tokio::task::JoinSet;

use super::deliver;
use super::dice::Dice;
use super::world::generate::HOT;

const ANSWER_MAX: Duration = Duration::from_secs(5);
pub const CLIENTS: usize = 40;
/// So many of the spends are for the few that buy often.
const HOT_PERCENT: u64 = 25;
const PAUSE_MS: (u64, u64) = (50, 600);
/// How long an outcome that is unknown after the storm may stay so.
const TELL_MAX: usize = 60;

/// What was answered to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Done {
        transaction: Uuid,
        balance: i64,
        is_replay: bool,
    },
    /// Not now: too few credits, or some are owed.
    Refused(String),
    /// No answer, or one that says that nobody knows.
    Unknown(u16),
    /// What nobody should ever be told.
    Odd(String),
}

/// One wish to spend, under one key.
#[derive(Debug, Clone)]
pub struct Spend {
    /// Whose: the key is known only together with the application.
    pub client: usize,
    pub key: String,
    pub owner: Uuid,
    pub credits: i64,
    pub answers: Vec<Answer>,
    /// The answer after the storm, where there was an unknown one before.
    pub told_at_last: Option<Answer>,
    /// What was answered to the same key with another amount.
    pub misused: Option<Answer>,
}

#[derive(Clone)]
pub struct Spender {
    http: reqwest::Client,
    address: SocketAddr,
    api_key: String,
}

impl Spender {
    pub fn new(address: SocketAddr, api_key: &str) -> Result<Self> {
        Ok(Self { http: deliver::client(ANSWER_MAX)?, address, api_key: api_key.to_owned() })
    }

    pub async fn send(&self, key: &str, owner: Uuid, credits: i64) -> Answer {
        let body = json!({ "owner": owner, "credits": credits, "description": "Used in the storm" });
        let sent = self
            .http
            .post(format!("http://{}/api/v1/spend", self.address))
            .header("authorization", format!("Bearer {}", self.api_key))
            .header("idempotency-key", key)
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await;
        let Ok(answer) = sent else { return Answer::Unknown(0) };
        let status = answer.status().as_u16();
        let is_replay = answer.headers().get("idempotent-replayed").is_some_and(|value| value == "true");
        let Ok(body) = answer.text().await else { return Answer::Unknown(0) };
        read(status, &body, is_replay)
    }
}

fn read(status: u16, body: &str, is_replay: bool) -> Answer {
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let code = || json["error"]["code"].as_str().unwrap_or_default().to_owned();
    let done = || {
        let transaction = json["transaction"].as_str()?.parse().ok()?;
        Some(Answer::Done { transaction, balance: json["balance"].as_i64()?, is_replay })
    };
    match status {
        200 => done().unwrap_or_else(|| Answer::Odd(format!("200 {body}"))),
        402 | 422 => Answer::Refused(code()),
        408 | 409 | 429 | 502..=504 => Answer::Unknown(status),
        _ => Answer::Odd(format!("{status} {body}")),
    }
}

/// Spends until it is told to stop; the journals of all clients.
pub fn run(seed: u64, spenders: &[Spender], buyers: &[Uuid], stop: &Arc<AtomicBool>) -> JoinSet<Vec<Spend>> {
    let buyers: Arc<[Uuid]> = buyers.into();
    let mut clients = JoinSet::new();
    for number in 0..if spenders.is_empty() { 0 } else { CLIENTS } {
        let (spender, buyers, stop) =
            (spenders[number % spenders.len()].clone(), Arc::clone(&buyers), Arc::clone(stop));
        clients.spawn(async move {
            let mut dice = Dice::new(seed, 2_000 + number as u64);
            let mut journal = Vec::new();
            while !stop.load(Ordering::SeqCst) {
                let owner = if dice.chance(HOT_PERCENT) { buyers[dice.index(HOT)] } else { *dice.pick(&buyers) };
                let most = if dice.chance(5) { 20_000 } else { 300 };
                let credits = i64::try_from(dice.between(1, most)).unwrap_or(1);
                let key = format!("storm-{number}-{}", journal.len());
                journal.push(spend(&spender, Spend::new(number, key, owner, credits), &mut dice).await);
                tokio::time::sleep(dice.milliseconds(PAUSE_MS.0, PAUSE_MS.1)).await;
            }
            journal
        });
    }
    clients
}

async fn spend(spender: &Spender, mut spend: Spend, dice: &mut Dice) -> Spend {
    if dice.chance(3) {
        let (one, other) = tokio::join!(spend.send(spender), spend.send(spender));
        spend.answers.extend(of_two_at_once(one, other));
    } else {
        let answer = spend.send(spender).await;
        spend.answers.push(answer);
    }
    for _ in 0..3 {
        let is_unknown = matches!(spend.answers.last(), Some(Answer::Unknown(_)));
        if !is_unknown || dice.chance(30) {
            break;
        }
        tokio::time::sleep(dice.milliseconds(50, 700)).await;
        let answer = spend.send(spender).await;
        spend.answers.push(answer);
    }
    if matches!(spend.answers.last(), Some(Answer::Done { .. })) {
        if dice.chance(6) {
            let answer = spend.send(spender).await;
            spend.answers.push(answer);
        }
        if dice.chance(2) {
            spend.misused = Some(spender.send(&spend.key, spend.owner, spend.credits + 1).await);
        }
    }
    spend
}

/// Nobody knows which of them was first. A refusal is of its moment, and a payment may have come between the two, so what was done
/// counts as the later one.
fn of_two_at_once(one: Answer, other: Answer) -> [Answer; 2] {
    match (&one, &other) {
        (Answer::Done { .. }, Answer::Refused(_)) => [other, one],
        _ => [one, other],
    }
}

/// After the storm: whoever got no answer asks again until there is one.
pub async fn tell_at_last(spenders: &[Spender], journal: &mut [Spend]) -> Result<usize> {
    let mut told = 0;
    for spend in journal.iter_mut().filter(|spend| spend.is_uncertain()) {
        let spender = &spenders[spend.client % spenders.len()];
        let mut tries = 0;
        spend.told_at_last = loop {
            match spend.send(spender).await {
                Answer::Unknown(status) if tries < TELL_MAX => {
                    tries += 1;
                    // A key has a limit of so many requests a second; everything else should be well by now.
                    tokio::time::sleep(Duration::from_millis(if status == 429 { 20 } else { 500 })).await;
                }
                Answer::Unknown(status) => bail!("{} is still answered with {status} after the storm", spend.key),
                answer => break Some(answer),
            }
        };
        told += 1;
    }
    Ok(told)
}

impl Spend {
    const fn new(client: usize, key: String, owner: Uuid, credits: i64) -> Self {
        Self { client, key, owner, credits, answers: Vec::new(), told_at_last: None, misused: None }
    }

    async fn send(&self, spender: &Spender) -> Answer {
        spender.send(&self.key, self.owner, self.credits).await
    }

    /// Whether any request under this key may have been carried out unheard.
    pub fn is_uncertain(&self) -> bool {
        self.answers.iter().any(|answer| matches!(answer, Answer::Unknown(_)))
    }
}

/// Makes API keys by the command line. `said` is what `atlas key create` printed.
pub fn key_in(said: &str) -> Result<String> {
    let word =
        said.split(|letter: char| letter.is_whitespace() || letter == '"').find(|word| word.starts_with("cred_live_"));
    word.map(str::to_owned).context("no API key was printed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_at_once_a_refusal_comes_before_what_was_done() {
        let done = Answer::Done { transaction: Uuid::nil(), balance: 1, is_replay: false };
        let refused = Answer::Refused("not_enough_credits".to_owned());
        for pair in [[&done, &refused], [&refused, &done]] {
            assert_eq!(of_two_at_once(pair[0].clone(), pair[1].clone()), [refused.clone(), done.clone()]);
        }
        assert_eq!(of_two_at_once(Answer::Unknown(0), done.clone()), [Answer::Unknown(0), done]);
    }

    #[test]
    fn answers_are_read() {
        let id = Uuid::from_u128(7);
        let body = json!({ "transaction": id, "credits": 5, "balance": 10 }).to_string();
        assert_eq!(read(200, &body, true), Answer::Done { transaction: id, balance: 10, is_replay: true });
        let no = json!({ "error": { "code": "not_enough_credits", "message": "" } }).to_string();
        assert_eq!(read(402, &no, false), Answer::Refused("not_enough_credits".to_owned()));
        assert_eq!(read(503, "", false), Answer::Unknown(503));
        assert!(matches!(read(500, "", false), Answer::Odd(_)));
        assert!(matches!(read(200, "{}", false), Answer::Odd(_)));
    }

    #[test]
    fn a_key_is_found_in_what_was_printed() {
        assert_eq!(key_in("Key storm:\n  cred_live_abc\nShown once.").ok().as_deref(), Some("cred_live_abc"));
        assert!(key_in("nothing").is_err());
    }
}
