//! How many of each owner's requests are let in at a time.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use domain::PersonId;

/// Copies share the same counts.
#[derive(Clone)]
pub(super) struct Places {
    each_max: usize,
    taken: Arc<Mutex<HashMap<PersonId, usize>>>,
}

/// Given back when it is dropped.
pub(super) struct Place {
    owner: PersonId,
    taken: Arc<Mutex<HashMap<PersonId, usize>>>,
}

impl Places {
    pub fn new(each_max: usize) -> Self {
        Self { each_max, taken: Arc::default() }
    }

    /// None: all the places of this owner are taken.
    pub fn take(&self, owner: PersonId) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(owner).or_default();
        if *count >= self.each_max {
            return None;
        }
        *count += 1;
        Some(Place { owner, taken: Arc::clone(&self.taken) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut count) = taken.entry(self.owner) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::ids;

    #[test]
    fn each_owner_has_as_many_and_gets_them_back() {
        let places = Places::new(2);
        let [ana, ben] = [(); 2].map(|()| PersonId::from_uuid(ids::fresh()));
        let first = places.take(ana).unwrap();
        let second = places.take(ana).unwrap();
        assert!(places.take(ana).is_none());
        let others = places.take(ben).unwrap();
        drop(first);
        let third = places.take(ana).unwrap();
        assert!(places.take(ana).is_none());
        drop((second, third, others));
        assert!(places.taken.lock().unwrap().is_empty(), "nobody is remembered for ever");
    }
}
