//! Requests of an admin who looks at somebody's pages. The server's guard says that it is one, and lets in what may be seen.

use atlas::people::viewing::{self, Viewing};
use atlas::people::{Owner, Visitor};
use atlas::{Error, Result};

use super::Request;

/// Among a request's extensions: the guard let nobody in, for its session looks at somebody's pages. The page says so.
#[derive(Debug, Clone, Copy)]
pub struct NotWhileViewing;

impl Request {
    /// Whose pages are drawn: those of whoever is signed in, or those that they look at; nobody is [`None`].
    pub async fn owner(&self) -> Result<Option<Owner>> {
        let visitor = self.visitor().await?;
        if matches!(visitor, Visitor::Viewing(_)) && !self.only_reads {
            return Err(Error::broken("somebody's pages are looked at over a connection that could change them"));
        }
        Ok(visitor.owner().cloned())
    }

    /// What is looked at, as the guard said. None: whoever is signed in sees their own.
    pub fn viewing(&self) -> Option<&Viewing> {
        match self.visitor.get() {
            Some(Visitor::Viewing(viewing)) => Some(viewing),
            _ => None,
        }
    }

    /// Whether the guard let nobody in, because the session looks at somebody's pages.
    pub const fn was_refused_while_viewing(&self) -> bool {
        self.refused_while_viewing
    }

    /// Shows this session's own person their own pages again.
    pub async fn stop_viewing(&self) -> Result<()> {
        viewing::stop(self.ctx(), self.session_hash()?, &self.origin()).await
    }
}
