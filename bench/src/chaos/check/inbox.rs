//! I7 and I10: every delivery that was accepted is in the inbox, once and settled; what was hostile moved nothing.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use anyhow::Result;
use sqlx::PgPool;

use super::Findings;
use crate::chaos::deliver::Deliverer;
use crate::chaos::world::{Due, World};

pub async fn check(owner: &PgPool, world: &World, deliverer: &Deliverer, findings: &mut Findings) -> Result<()> {
    let rows: Vec<(String, String, Option<String>)> =
        sqlx::query_as("select event_id, state, reason from provider_events").fetch_all(owner).await?;
    let mut kept: HashMap<String, Vec<(String, Option<String>)>> = HashMap::new();
    for (event, state, reason) in rows {
        kept.entry(event).or_default().push((state, reason));
    }
    for (message, answers) in world.messages.iter().zip(&deliverer.answers) {
        let accepted = answers.accepted.load(Ordering::SeqCst) > 0;
        let rows = kept.get(&message.id).map_or(&[][..], Vec::as_slice);
        if message.due == Due::Refused {
            if accepted || !rows.is_empty() {
                findings.add("I10 a forged message is refused", format!("{}: {} in the inbox", message.id, rows.len()));
            }
            continue;
        }
        if !accepted {
            continue;
        }
        let [(state, reason)] = rows else {
            let said = format!("{} was accepted and is in the inbox {} times", message.id, rows.len());
            findings.add("I7 what was accepted is kept, once", said);
            continue;
        };
        let said =
            || format!("{} ({:?}) is {state} ({})", message.id, message.change, reason.as_deref().unwrap_or("-"));
        match (message.due, state.as_str()) {
            (Due::Quarantined, "quarantined") | (Due::Applied, "applied" | "ignored") => {}
            (Due::Quarantined, _) => findings.add("I10 what does not fit is quarantined", said()),
            _ => findings.add("I7 what was accepted is settled", said()),
        }
    }
    Ok(())
}
