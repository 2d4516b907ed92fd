//! The catalogue as pages show it, kept for a moment: each page needs it, and it changes a few times a year.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use sqlx::PgPool;

use super::catalogue::{Offer, catalogue};
use crate::Result;

/// How long a change may take to reach the pages. Nothing is sold by what stands here: an order reads its plan anew.
const FRESH_FOR: Duration = Duration::from_secs(1);

/// One per process; its copies share what they keep.
#[derive(Debug, Clone, Default)]
pub struct Shelf(Arc<RwLock<Option<Kept>>>);

#[derive(Debug)]
struct Kept {
    offers: Arc<[Offer]>,
    read_at: Instant,
}

impl Shelf {
    /// Every plan on sale, at most a second old.
    pub async fn offers(&self, db: &PgPool) -> Result<Arc<[Offer]>> {
        if let Some(offers) = self.fresh() {
            return Ok(offers);
        }
        let read_at = Instant::now();
        let offers: Arc<[Offer]> = catalogue(db).await?.into();
        // Several may read at the same time when a second is over; that is cheaper than to wait for each other.
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Kept { offers: offers.clone(), read_at });
        Ok(offers)
    }

    fn fresh(&self) -> Option<Arc<[Offer]>> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|kept| kept.read_at.elapsed() < FRESH_FOR).map(|kept| kept.offers.clone())
    }
}
