//! The catalogue as pages show it, and how it is sold, kept for a moment: each page needs it, and it changes a few
//! times a year.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use sqlx::PgPool;

use super::catalogue::{Offer, catalogue};
use crate::Result;
use crate::settings::{self, Switches};

/// How long a change may take to reach the pages. Nothing is sold by what stands here: an order reads its plan anew.
const FRESH_FOR: Duration = Duration::from_secs(1);

/// One per process; its copies share what they keep.
#[derive(Debug, Clone, Default)]
pub struct Shelf(Arc<RwLock<Option<Kept>>>);

/// What stands on it.
#[derive(Debug, Clone)]
pub struct Display {
    /// Every plan on sale.
    pub offers: Arc<[Offer]>,
    /// Whether payments are stopped, and by which path people order.
    pub switches: Switches,
}

#[derive(Debug)]
struct Kept {
    display: Display,
    read_at: Instant,
}

impl Shelf {
    /// At most a second old.
    pub async fn look(&self, db: &PgPool) -> Result<Display> {
        if let Some(display) = self.fresh() {
            return Ok(display);
        }
        let read_at = Instant::now();
        let switches = settings::read(db).await?;
        let display = Display { offers: catalogue(db).await?.into(), switches };
        // Several may read at the same time when a second is over; that is cheaper than to wait for each other.
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Kept { display: display.clone(), read_at });
        Ok(display)
    }

    fn fresh(&self) -> Option<Display> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|kept| kept.read_at.elapsed() < FRESH_FOR).map(|kept| kept.display.clone())
    }
}
