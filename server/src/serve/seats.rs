//! How many connections one address may have at once, so that nobody takes all of them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use atlas::limits::by_address;

/// Who sits where, by household.
#[derive(Debug, Clone)]
pub struct Seats {
    each_max: usize,
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

/// Given back when it is dropped.
#[derive(Debug)]
pub struct Seat {
    household: String,
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

impl Seats {
    pub fn new(each_max: usize) -> Self {
        Self { each_max, taken: Arc::default() }
    }

    /// None: this address has as many as it may have.
    pub fn take(&self, address: IpAddr) -> Option<Seat> {
        let household = by_address(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(household.clone()).or_default();
        if *count >= self.each_max {
            return None;
        }
        *count += 1;
        Some(Seat { household, taken: Arc::clone(&self.taken) })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.household) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.household);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn each_household_has_so_many_and_gets_them_back() {
        let seats = Seats::new(2);
        let take = |address: &str| seats.take(address.parse().unwrap());
        let (first, second) = (take("192.0.2.1"), take("192.0.2.1"));
        assert!(first.is_some() && second.is_some());
        assert!(take("192.0.2.1").is_none() && take("192.0.2.2").is_some());
        drop(first);
        assert!(take("192.0.2.1").is_some());
        drop(second);
        assert!(seats.taken.lock().unwrap().is_empty(), "nobody is remembered who left");
    }
}
