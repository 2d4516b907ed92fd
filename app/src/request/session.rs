//! How a session begins, goes on under a new id, and ends.

use atlas::people::SignedIn;
use atlas::people::fresh;
use atlas::people::grants::{self, Why};
use atlas::people::half::{self, Half};
use atlas::people::sessions::end_this;
use atlas::{Error, Result};
use uuid::Uuid;

use super::{AGENT_KEY, BEGAN_KEY, Began, Beginning, GRANT_KEY, PERSON_KEY, Request};

impl Request {
    /// Makes this session the person's, who has just shown that it is them, under a new id (T43).
    pub async fn begin_session(&self, person: &SignedIn) -> Result<()> {
        self.begin_session_with(person, None).await
    }

    /// The same, begun elsewhere with this grant. One that it had before is given back.
    pub async fn begin_session_with(&self, person: &SignedIn, grant: Option<Uuid>) -> Result<()> {
        let session = self.session()?;
        let before: Option<Uuid> = session.remove(GRANT_KEY).await.map_err(Error::unavailable)?;
        if let Some(grant) = grant {
            session.insert(GRANT_KEY, grant).await.map_err(Error::unavailable)?;
        }
        session.insert(AGENT_KEY, &self.agent).await.map_err(Error::unavailable)?;
        session.insert(PERSON_KEY, person.id()).await.map_err(Error::unavailable)?;
        self.renew(person, Beginning::SignedIn).await?;
        match before {
            Some(grant) => grants::end(self.ctx(), grant, Why::SignedOut).await,
            None => Ok(()),
        }
    }

    /// Makes this session one in which only a code can be given, under a new id. Nobody is signed in to it.
    pub async fn begin_half(&self, half: Half) -> Result<()> {
        let session = self.session()?;
        session.clear().await;
        session.cycle_id().await.map_err(Error::unavailable)?;
        session.insert(AGENT_KEY, &self.agent).await.map_err(Error::unavailable)?;
        // Now, and not with the answer: the note goes to its row.
        session.save().await.map_err(Error::unavailable)?;
        half::begin(self.ctx(), half, self.session_hash()?).await
    }

    /// Notes that the person has just shown again that it is them. The session goes on under a new id (T43).
    pub async fn note_confirmed(&self, person: &SignedIn) -> Result<()> {
        self.renew(person, Beginning::Confirmed).await
    }

    async fn renew(&self, person: &SignedIn, what: Beginning) -> Result<()> {
        let session = self.session()?;
        let began = Began { what, origin: self.origin(), through: self.path.clone() };
        session.cycle_id().await.map_err(Error::unavailable)?;
        session.insert(BEGAN_KEY, began).await.map_err(Error::unavailable)?;
        // Now, and not with the answer: the note goes to its row.
        session.save().await.map_err(Error::unavailable)?;
        fresh::note(&self.ctx().db, person, self.session_hash()?).await
    }

    /// Signs out. It is written down with the end of the session, or neither happens.
    pub async fn end_session(&self) -> Result<()> {
        // Read before: with the session it is gone.
        let grant = self.grant().await?;
        if let Ok(this) = self.session_hash() {
            end_this(self.ctx(), this, &self.origin()).await?;
        }
        if let Some(grant) = grant {
            grants::end(self.ctx(), grant, Why::SignedOut).await?;
        }
        self.session()?.flush().await.map_err(Error::unavailable)
    }
}
