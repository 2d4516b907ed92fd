//! Delivers messages: signs each attempt afresh, keeps to the retry schedule, and writes down what happened.

use std::time::{Duration, Instant};

use rand::Rng as _;

use super::{Attempt, Cause, Endpoint, Message, schedule, sign};
use crate::clock::Moment;
use crate::sandbox::Sandbox;
use crate::tasks;
use crate::world::World;

/// How much of an answer is kept.
const ANSWER_KEPT_CHARS: usize = 500;

/// A message on its way out, with the faults that were drawn for it.
#[derive(Clone, Debug)]
pub struct Dispatch {
    message_id: String,
    delay: Duration,
    extra_copies: u32,
    lost: bool,
}

impl Dispatch {
    /// At once and without faults.
    pub fn plain(message_id: String) -> Self {
        Self { message_id, delay: Duration::ZERO, extra_copies: 0, lost: false }
    }

    /// As the faults of the moment want it.
    pub fn by_faults(world: &mut World, message_id: &str, event: &str) -> Self {
        let faults = &mut world.faults;
        let mut dispatch = Self::plain(message_id.to_owned());
        if faults.spares(event) {
            return dispatch;
        }
        dispatch.delay = Duration::from_millis(faults.webhook_delay_ms);
        dispatch.extra_copies = faults.webhook_duplicates;
        if faults.webhook_reorder {
            // Every other message waits until after the next one was sent.
            faults.reorder_turn = !faults.reorder_turn;
            if faults.reorder_turn {
                dispatch.delay += Duration::from_millis(400) + world.settings.settle * 2;
            }
        }
        let loss = faults.webhook_loss;
        dispatch.lost = loss > 0.0 && world.dice.random_bool(loss);
        dispatch
    }
}

/// Delivers one message by the schedule until it arrives or is given up.
pub async fn run(sandbox: Sandbox, dispatch: Dispatch) {
    tokio::time::sleep(dispatch.delay).await;
    let id = &dispatch.message_id;
    if dispatch.lost {
        sandbox.change(|world| record_loss(world, id));
        return;
    }
    for _ in 0..dispatch.extra_copies {
        let (sandbox, id) = (sandbox.clone(), id.clone());
        tasks::spawn(async move { once(&sandbox, &id, Cause::Duplicate).await });
    }
    while let Some(attempt) = once(&sandbox, id, Cause::Scheduled).await {
        match attempt.next_attempt_at {
            Some(at) => tokio::time::sleep(at.since(Moment::now())).await,
            None => return,
        }
    }
}

/// One attempt, whatever comes of it. None when there is nothing to send any more: the message or its endpoint is gone, the
/// endpoint is switched off, or a copy of a scheduled message has arrived meanwhile.
pub async fn once(sandbox: &Sandbox, message_id: &str, cause: Cause) -> Option<Attempt> {
    let endpoint_id = sandbox.read(|world| Some(world.messages.get(message_id)?.endpoint_id.clone()))?;
    // Gates are never closed; if one were, the delivery would go on without it.
    let gate = sandbox.gate(&endpoint_id).acquire_owned().await;
    // The endpoint may have changed while the message waited.
    let Some((endpoint, message)) = sandbox.read(|world| target(world, message_id)) else {
        sandbox.change(|world| give_up(world, message_id));
        return None;
    };
    if cause == Cause::Scheduled && message.done {
        return None;
    }
    let (sent_at, started) = (Moment::now(), Instant::now());
    let outcome = post(sandbox, &endpoint, &message, sent_at).await;
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    drop(gate);
    let (status_code, answer) = match outcome {
        Ok((status, answer)) => (Some(status), answer),
        Err(why) => (None, why),
    };
    let attempt = Attempt {
        id: String::new(),
        message_id: message.id,
        endpoint_id: endpoint.id,
        event: message.event,
        url: endpoint.url,
        payment_id: message.payment_id,
        number: 0,
        cause,
        status_code,
        answer,
        success: status_code.is_some_and(|status| (200..300).contains(&status)),
        sent_at,
        duration_ms,
        next_attempt_at: None,
        replayed_from: message.replayed_from,
    };
    Some(sandbox.change(|world| record(world, attempt)))
}

fn target(world: &World, message_id: &str) -> Option<(Endpoint, Message)> {
    let message = world.messages.get(message_id)?;
    let endpoint = world.endpoints.get(&message.endpoint_id).filter(|endpoint| endpoint.enabled)?;
    Some((endpoint.clone(), message.clone()))
}

async fn post(
    sandbox: &Sandbox,
    endpoint: &Endpoint,
    message: &Message,
    sent_at: Moment,
) -> Result<(u16, String), String> {
    let timestamp = sent_at.unix_seconds();
    let signature = sign::signature(&endpoint.secret, &message.id, timestamp, message.body.as_bytes());
    let request = sandbox
        .client()
        .post(&endpoint.url)
        .header("content-type", "application/json")
        .header("webhook-id", &message.id)
        .header("webhook-timestamp", timestamp.to_string())
        .header("webhook-signature", signature)
        .body(message.body.clone());
    let mut response = request.send().await.map_err(|error| plain_reason(&error))?;
    let status = response.status().as_u16();
    let mut answer = Vec::new();
    while answer.len() < ANSWER_KEPT_CHARS {
        match response.chunk().await {
            Ok(Some(chunk)) => answer.extend_from_slice(&chunk),
            _ => break,
        }
    }
    Ok((status, String::from_utf8_lossy(&answer).chars().take(ANSWER_KEPT_CHARS).collect()))
}

fn plain_reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer within 5 seconds".to_owned();
    }
    if error.is_connect() {
        return "could not connect".to_owned();
    }
    format!("no answer: {error}")
}

/// Numbers and keeps an attempt, and draws the consequences for its message and endpoint.
fn record(world: &mut World, mut attempt: Attempt) -> Attempt {
    attempt.id = world.ids.fresh("whdel_");
    let time_scale = world.settings.time_scale;
    if let Some(endpoint) = world.endpoints.edit(&attempt.endpoint_id) {
        judge(endpoint, &attempt, time_scale);
    }
    if let Some(message) = world.messages.edit(&attempt.message_id) {
        message.sent += 1;
        attempt.number = message.sent;
        if attempt.success {
            message.done = true;
        } else if attempt.cause == Cause::Scheduled {
            message.tries += 1;
            let wait = schedule::wait_after(message.tries, time_scale).filter(|_| !message.done);
            attempt.next_attempt_at = wait.map(|wait| Moment::now().plus(wait));
            message.done |= attempt.next_attempt_at.is_none();
        }
    }
    world.attempts.put(attempt.clone());
    attempt
}

/// Success clears an endpoint's record; long and frequent failure switches it off.
fn judge(endpoint: &mut Endpoint, attempt: &Attempt, time_scale: f64) {
    if attempt.success {
        endpoint.consecutive_failures = 0;
        endpoint.failing_since = None;
        return;
    }
    let now = Moment::now();
    endpoint.consecutive_failures += 1;
    endpoint.last_failure_at = Some(now);
    let since = *endpoint.failing_since.get_or_insert(attempt.sent_at);
    if endpoint.enabled && schedule::is_given_up(endpoint.consecutive_failures, now.since(since), time_scale) {
        endpoint.enabled = false;
        endpoint.disabled_at = Some(now);
    }
}

fn give_up(world: &mut World, message_id: &str) {
    if let Some(message) = world.messages.edit(message_id) {
        message.done = true;
    }
}

fn record_loss(world: &mut World, message_id: &str) {
    give_up(world, message_id);
    let Some(message) = world.messages.get(message_id).cloned() else { return };
    let url = world.endpoints.get_any(&message.endpoint_id).map(|endpoint| endpoint.url.clone()).unwrap_or_default();
    let id = world.ids.fresh("whdel_");
    world.attempts.put(Attempt {
        id,
        message_id: message.id,
        endpoint_id: message.endpoint_id,
        event: message.event,
        url,
        payment_id: message.payment_id,
        number: 1,
        cause: Cause::Lost,
        status_code: None,
        answer: "lost on the way, by request".to_owned(),
        success: false,
        sent_at: Moment::now(),
        duration_ms: 0,
        next_attempt_at: None,
        replayed_from: None,
    });
}
