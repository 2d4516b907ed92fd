//! A program that reads. It is no person: what it may do is look, and so it holds another proof than the staff.

use super::resolve::resolve;
use super::secret::KeyHash;
use super::{ApiCaller, Scope};
use crate::people::roles::sealed::Sealed;
use crate::people::roles::{ReadsOrders, ReadsPlans};
use crate::{Context, Refusal, Result};

/// Proof that a request carries a key that was made for reading, and that is valid now.
#[derive(Debug, Clone)]
pub struct Reader(ApiCaller);

impl Sealed for Reader {}
impl ReadsOrders for Reader {}
impl ReadsPlans for Reader {}

impl Reader {
    /// Errors: [`Refusal::UnknownApiKey`]; [`crate::Error::Forbidden`] for a key that was made for something else.
    pub async fn prove(ctx: &Context, key: KeyHash) -> Result<Self> {
        let mut db = ctx.db.acquire().await?;
        let caller = resolve(&mut db, ctx.now(), &[key]).await?.remove(&key).ok_or(Refusal::UnknownApiKey)?;
        caller.may(Scope::Read)?;
        Ok(Self(caller))
    }

    pub const fn caller(&self) -> &ApiCaller {
        &self.0
    }
}
