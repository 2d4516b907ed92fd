//! A table of one kind of record: found by id, listed by age, and aware of which rows changed since the last journal entry.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::Moment;

/// Something with an id that the sandbox remembers.
pub trait Record: Serialize + DeserializeOwned {
    /// Names the record in the journal.
    const KIND: &'static str;

    fn id(&self) -> &str;
    fn created_at(&self) -> Moment;

    /// A deleted record stays for those that refer to it but can no longer be found by itself.
    fn is_deleted(&self) -> bool {
        false
    }
}

/// Rows in order of creation; the row number is the cursor that lists page by.
pub struct Table<T> {
    rows: BTreeMap<u64, T>,
    numbers: HashMap<String, u64>,
    next_number: u64,
    changed: BTreeSet<u64>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), numbers: HashMap::new(), next_number: 1, changed: BTreeSet::new() }
    }
}

impl<T: Record> Table<T> {
    /// Adds a record, or replaces the one with the same id.
    pub fn put(&mut self, record: T) {
        let number = self.numbers.get(record.id()).copied().unwrap_or(self.next_number);
        self.restore(number, record);
        self.changed.insert(number);
    }

    /// Puts a record back under the number it had.
    pub fn restore(&mut self, number: u64, record: T) {
        self.numbers.insert(record.id().to_owned(), number);
        self.rows.insert(number, record);
        self.next_number = self.next_number.max(number + 1);
    }

    /// A live record.
    pub fn get(&self, id: &str) -> Option<&T> {
        self.get_any(id).filter(|record| !record.is_deleted())
    }

    /// A record, deleted or not.
    pub fn get_any(&self, id: &str) -> Option<&T> {
        self.rows.get(self.numbers.get(id)?)
    }

    /// A live record to change; the change is journaled.
    pub fn edit(&mut self, id: &str) -> Option<&mut T> {
        let number = *self.numbers.get(id)?;
        let row = self.rows.get_mut(&number).filter(|record| !record.is_deleted())?;
        self.changed.insert(number);
        Some(row)
    }

    /// Live records with their numbers, oldest first.
    pub fn numbered(&self) -> impl DoubleEndedIterator<Item = (u64, &T)> {
        self.rows.iter().filter(|(_, record)| !record.is_deleted()).map(|(number, record)| (*number, record))
    }

    /// Live records, newest first.
    pub fn newest(&self) -> impl Iterator<Item = &T> {
        self.numbered().rev().map(|(_, record)| record)
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Forgets the oldest rows beyond `limit`.
    pub fn keep_newest(&mut self, limit: usize) {
        while self.rows.len() > limit {
            if let Some((number, record)) = self.rows.pop_first() {
                self.numbers.remove(record.id());
                self.changed.remove(&number);
            }
        }
    }

    /// Calls `write` for each row that changed since the last call.
    pub fn drain_changes(&mut self, mut write: impl FnMut(u64, &T)) {
        for number in std::mem::take(&mut self.changed) {
            if let Some(record) = self.rows.get(&number) {
                write(number, record);
            }
        }
    }
}
