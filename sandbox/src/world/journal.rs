//! The journal: one JSON line for each state that a record ever had. Reading it from the top restores the world.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Due, Record, Table, Timer, World};
use crate::clock::Moment;
use crate::webhooks::deliver::Dispatch;

/// An open journal file, or none.
#[derive(Default)]
pub struct Journal(Option<File>);

#[derive(Serialize)]
struct LineOut<'a, T> {
    at: Moment,
    kind: &'static str,
    number: u64,
    record: &'a T,
}

#[derive(Deserialize)]
struct LineIn<'a> {
    kind: String,
    number: u64,
    #[serde(borrow)]
    record: &'a RawValue,
}

impl Journal {
    /// Reads what the file holds into `world` and opens it for more. A last line cut short by a crash is ignored.
    pub fn open(path: &Path, world: &mut World) -> anyhow::Result<Self> {
        if let Ok(file) = File::open(path) {
            let lines: Vec<_> = BufReader::new(file).lines().collect::<Result<_, _>>()?;
            let last = lines.len().saturating_sub(1);
            for (index, line) in lines.iter().enumerate() {
                match restore(world, line) {
                    Err(_) if index == last => tracing::warn!("the journal's last line is incomplete and was skipped"),
                    outcome => outcome.with_context(|| format!("journal {}, line {}", path.display(), index + 1))?,
                }
            }
            if let Some(cut) = lines.last().filter(|line| serde_json::from_str::<LineIn>(line).is_err()) {
                let whole = std::fs::metadata(path)?.len().saturating_sub(cut.len() as u64);
                OpenOptions::new().write(true).open(path)?.set_len(whole)?;
            }
            resume(world);
        }
        let file = OpenOptions::new().create(true).append(true).open(path);
        Ok(Self(Some(file.with_context(|| format!("cannot open the journal {}", path.display()))?)))
    }

    /// Appends every record that changed.
    pub fn write(&mut self, world: &mut World) -> anyhow::Result<()> {
        let (at, mut lines) = (Moment::now(), Vec::new());
        let keep = self.0.is_some();
        collect(&mut world.products, at, keep, &mut lines)?;
        collect(&mut world.plans, at, keep, &mut lines)?;
        collect(&mut world.checkouts, at, keep, &mut lines)?;
        collect(&mut world.people, at, keep, &mut lines)?;
        collect(&mut world.payments, at, keep, &mut lines)?;
        collect(&mut world.memberships, at, keep, &mut lines)?;
        collect(&mut world.refunds, at, keep, &mut lines)?;
        collect(&mut world.disputes, at, keep, &mut lines)?;
        collect(&mut world.endpoints, at, keep, &mut lines)?;
        collect(&mut world.messages, at, keep, &mut lines)?;
        collect(&mut world.attempts, at, keep, &mut lines)?;
        collect(&mut world.answers, at, keep, &mut lines)?;
        collect(&mut world.codes, at, keep, &mut lines)?;
        collect(&mut world.grants, at, keep, &mut lines)?;
        collect(&mut world.tokens, at, keep, &mut lines)?;
        if let Some(file) = &mut self.0 {
            file.write_all(&lines)?;
        }
        Ok(())
    }
}

fn collect<T: Record>(table: &mut Table<T>, at: Moment, keep: bool, lines: &mut Vec<u8>) -> anyhow::Result<()> {
    let mut outcome = Ok(());
    table.drain_changes(|number, record| {
        if keep && outcome.is_ok() {
            outcome = serde_json::to_writer(&mut *lines, &LineOut { at, kind: T::KIND, number, record });
            lines.push(b'\n');
        }
    });
    Ok(outcome?)
}

fn restore(world: &mut World, line: &str) -> anyhow::Result<()> {
    let LineIn { kind, number, record } = serde_json::from_str(line)?;
    macro_rules! into_table {
        ($($table:ident),+) => {
            $(if restored(&mut world.$table, &kind, number, record)? { return Ok(()); })+
        };
    }
    into_table!(
        products,
        plans,
        checkouts,
        people,
        payments,
        memberships,
        refunds,
        disputes,
        endpoints,
        messages,
        attempts,
        answers,
        codes,
        grants,
        tokens
    );
    anyhow::bail!("unknown kind of record: {kind}")
}

fn restored<T: Record>(table: &mut Table<T>, kind: &str, number: u64, record: &RawValue) -> anyhow::Result<bool> {
    if kind == T::KIND {
        table.restore(number, serde_json::from_str(record.get())?);
    }
    Ok(kind == T::KIND)
}

/// Sets in motion again what the last run left unfinished: settlements and deliveries.
fn resume(world: &mut World) {
    let mut timers = Vec::new();
    for payment in world.payments.newest() {
        timers.extend(payment.due.as_ref().map(|due| Timer { at: due.at, due: Due::Payment(payment.id.clone()) }));
    }
    for refund in world.refunds.newest() {
        timers.extend(refund.due.map(|at| Timer { at, due: Due::Refund(refund.id.clone()) }));
    }
    let unfinished: Vec<_> = world.messages.newest().filter(|message| !message.done).map(|it| it.id.clone()).collect();
    world.timers.extend(timers);
    world.outbox.extend(unfinished.into_iter().rev().map(Dispatch::plain));
}
