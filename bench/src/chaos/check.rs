//! The checker: holds the journals of the storm against the database. The numbers I1 to I15 are those of the
//! specification of the chaos test.

pub mod inbox;
pub mod ledger;
pub mod machines;
pub mod mails;
pub mod payments;
pub mod spends;

/// As many of one kind as help to see what it is.
const SHOWN_MAX: usize = 5;

/// What is wrong, each with the number of the invariant and the object.
#[derive(Debug, Default)]
pub struct Findings {
    found: Vec<(&'static str, usize, Vec<String>)>,
}

impl Findings {
    pub fn add(&mut self, invariant: &'static str, what: String) {
        let place = self.found.iter().position(|(known, _, _)| *known == invariant);
        let place = place.unwrap_or_else(|| {
            self.found.push((invariant, 0, Vec::new()));
            self.found.len() - 1
        });
        let (_, count, shown) = &mut self.found[place];
        *count += 1;
        if shown.len() < SHOWN_MAX {
            shown.push(what);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The invariants that are broken.
    pub fn broken(&self) -> Vec<&'static str> {
        self.found.iter().map(|(invariant, _, _)| *invariant).collect()
    }
}

impl std::fmt::Display for Findings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (invariant, count, shown) in &self.found {
            writeln!(f, "  {invariant}: broken {count} times")?;
            for what in shown {
                writeln!(f, "      {what}")?;
            }
        }
        Ok(())
    }
}
