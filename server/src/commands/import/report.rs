//! What was found and what was done, for people and for programs.

use anyhow::Result;
use atlas::legacy::Proof;
use atlas::legacy::bring_in::Done;
use atlas::legacy::examine::{Damaged, Finding, Findings};
use domain::Credits;
use serde_json::{Value, json};

use super::Story;
use crate::commands::print;

/// The report before the import.
pub(super) fn findings(story: &Story<'_>) -> Result<()> {
    let Findings { findings, people, orders, transactions } = &story.findings;
    print::line(&format!(
        "Read: {} profiles, {} orders, {} transactions.",
        number(people.read),
        number(orders.read),
        number(transactions.read)
    ))?;
    if !story.ignored.is_empty() {
        print::line(&format!("Columns that are not read: {}.", story.ignored.join(", ")))?;
    }
    print::line(if findings.is_empty() { "\nEverything adds up." } else { "\nWhat does not add up:" })?;
    for finding in findings {
        print::line(&format!(
            "  {:>9}  {:6}  {}: {}\n{:22}first: {}. Treatment: {}.",
            number(finding.rows),
            finding.damage.gravity().as_str(),
            finding.damage.code(),
            finding.damage.what(),
            "",
            finding.example,
            finding.damage.treatment(),
        ))?;
    }
    for row in &story.rows {
        let number = |number: Option<i64>| number.map_or_else(|| "–".to_owned(), |number| number.to_string());
        let (credits, history) = (number(row.credits), number(row.history));
        let (table, place, id, user) = (&row.table, row.place, &row.id, &row.user_id);
        print::line(&format!("    {table} row {place} id {id} of {user}: credits {credits}, history {history}"))?;
    }
    print::line("\nWhat is to be imported:")?;
    print::line(&format!(
        "  people        {} new, {} joined with somebody here, {} joined by a doubled email; {} are there already, {} left out",
        number(people.new),
        number(people.linked),
        number(people.merged),
        number(people.there),
        number(people.left_out)
    ))?;
    print::line(&format!(
        "  credits       {} in opening lots, of {} in all balances",
        number(people.credits_due),
        number(people.credits_read)
    ))?;
    print::line(&format!(
        "  orders        {}, of which {} wait for an answer; {} are there already, {} left out",
        number(orders.due),
        number(orders.waiting),
        number(orders.there),
        number(orders.left_out)
    ))?;
    print::line(&format!(
        "  transactions  {}; {} are there already, {} left out\n",
        number(transactions.due),
        number(transactions.there),
        number(transactions.left_out)
    ))
}

/// The sentences after it.
pub(super) fn done(done: &Done, proof: &Proof) -> String {
    let imported = if *done == Done::default() {
        "Everything was there already; nothing was changed.".to_owned()
    } else {
        format!(
            "Imported: {} people with {} opening lots, {} orders, {} transactions.",
            done.people, done.lots, done.orders, done.transactions
        )
    };
    format!(
        "{imported}\nHere now: {} profiles with {} credits, and {} credits in {} opening lots of the ledger; {} orders; {} \
         transactions that sum to {}. All as it was read.",
        number(proof.people),
        number(proof.balances),
        number(proof.granted),
        number(proof.lots),
        number(proof.orders),
        number(proof.transactions),
        number(proof.history)
    )
}

fn number(number: i64) -> String {
    Credits::new(number).to_string()
}

pub(super) fn json(story: &Story<'_>) -> Value {
    let Findings { findings, people, orders, transactions } = &story.findings;
    json!({
        "dry_run": story.asked.dry_run,
        "not_read": story.ignored,
        "findings": findings.iter().map(finding).collect::<Vec<_>>(),
        "rows": story.rows.iter().map(row).collect::<Vec<_>>(),
        "people": {
            "read": people.read, "new": people.new, "linked": people.linked, "merged": people.merged,
            "there": people.there, "left_out": people.left_out,
            "credits_read": people.credits_read, "credits_due": people.credits_due,
        },
        "orders": {
            "read": orders.read, "due": orders.due, "waiting": orders.waiting, "there": orders.there,
            "left_out": orders.left_out,
        },
        "transactions": {
            "read": transactions.read, "due": transactions.due, "there": transactions.there,
            "left_out": transactions.left_out, "credits": transactions.credits,
        },
        "imported": story.done.as_ref().map(|(done, _)| json!({
            "people": done.people, "lots": done.lots, "orders": done.orders, "transactions": done.transactions,
        })),
        "here": story.done.as_ref().map(|(_, proof)| json!({
            "people": proof.people, "balances": proof.balances, "lots": proof.lots, "granted": proof.granted,
            "orders": proof.orders, "transactions": proof.transactions, "history": proof.history,
        })),
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "code": finding.damage.code(), "gravity": finding.damage.gravity().as_str(), "rows": finding.rows,
        "example": finding.example, "what": finding.damage.what(), "treatment": finding.damage.treatment(),
    })
}

fn row(row: &Damaged) -> Value {
    json!({
        "table": row.table, "row": row.place, "id": row.id, "user_id": row.user_id, "credits": row.credits,
        "history": row.history,
    })
}
