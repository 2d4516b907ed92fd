//! Sessions in which somebody entered the code for setting up.

use atlas::set_up::{Installer, installer};
use atlas::{Error, Result};
use uuid::Uuid;

use super::Request;

/// Under this key a session says which code was entered in it.
const KEY: &str = "set_up";

impl Request {
    /// Makes this session that of somebody who entered the code for setting up, under a new id (T43).
    pub async fn begin_set_up(&self, generation: Uuid) -> Result<()> {
        let session = self.session()?;
        session.cycle_id().await.map_err(Error::unavailable)?;
        session.insert(KEY, generation).await.map_err(Error::unavailable)
    }

    /// Whoever entered the present code, while there is no admin.
    pub async fn installer(&self) -> Result<Option<Installer>> {
        let generation: Option<Uuid> = self.session()?.get(KEY).await.map_err(Error::unavailable)?;
        match generation {
            Some(generation) => installer(self.ctx(), generation).await,
            None => Ok(None),
        }
    }
}
