//! I12: every mail that came has its row in the outbox, every row that says so was sent, and none came twice while
//! whoever had taken it up could still have been at it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use anyhow::Result;
use sqlx::PgPool;

use super::Findings;
use crate::chaos::post::PostOffice;

/// A mail that was taken up and not noted is taken up again, but not sooner than after this.
const LEASE: Duration = Duration::from_mins(4);

/// The row that a Message-ID names.
fn row_of(id: &str) -> Option<i64> {
    id.trim_matches('<').split('@').next().and_then(|name| name.strip_prefix("mail.")?.parse().ok())
}

pub async fn check(owner: &PgPool, office: &PostOffice, findings: &mut Findings) -> Result<usize> {
    // Mails go out while we look: what had come before the rows were read has its row, and what they call sent has come after.
    let early = office.arrivals();
    let rows: Vec<(i64, String, String)> = sqlx::query_as("select id, kind, state from mails").fetch_all(owner).await?;
    let arrivals = office.arrivals();
    let mut known = HashMap::new();
    for (id, times) in &arrivals {
        let Some(number) = row_of(id) else {
            findings.add("I12 each mail has its row", format!("{id} is nobody's"));
            continue;
        };
        known.insert(number, times.len());
        let too_soon = times.windows(2).any(|pair| pair[1].duration_since(pair[0]) < LEASE);
        if too_soon {
            findings.add("I12 a mail goes out once", format!("{id} came {} times", times.len()));
        }
    }
    // News for admins go out together, in one mail under the first one's number.
    let is_letter = |kind: &str| matches!(kind, "receipt" | "payment_failed" | "refunded");
    for (id, kind, state) in &rows {
        if state == "sent" && is_letter(kind) && !known.contains_key(id) {
            findings.add("I12 what is noted as sent was sent", format!("mail {id}, {kind}"));
        }
    }
    let ids: HashSet<i64> = rows.iter().map(|(id, _, _)| *id).collect();
    for number in early.keys().filter_map(|id| row_of(id)).filter(|number| !ids.contains(number)) {
        findings.add("I12 each mail has its row", format!("mail {number}"));
    }
    Ok(arrivals.len())
}
