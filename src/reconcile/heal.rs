//! An incident window: what is missing is proposed, and on confirmation taken in through the same settling as webhooks.

use super::Window;
use super::examine::{Suspect, asked_in_vain, examine};
use crate::orders::settle::ask::{take_in, with_reversals};
use crate::{Context, Error, Result};

/// What a window shows, and what can be done about it.
#[derive(Debug, Clone, Default)]
pub struct Proposals {
    /// Payments that were looked at.
    pub examined: usize,
    /// Taking the provider's word in puts these right.
    pub healable: Vec<Suspect>,
    /// A person has to look at these.
    pub others: Vec<Suspect>,
}

/// Looks, and changes nothing.
///
/// Errors: [`Error::Unavailable`] when the provider can't be reached.
pub async fn propose(ctx: &Context, window: Window) -> Result<Proposals> {
    let mut proposals = Proposals::default();
    for adapter in ctx.providers.all() {
        let examined = examine(ctx, adapter, window).await?;
        proposals.examined += examined.subjects.len();
        for suspect in examined.suspects {
            let heals =
                suspect.theirs.is_some() && suspect.findings.iter().any(|finding| finding.kind.heals_by_settling());
            if heals { proposals.healable.push(suspect) } else { proposals.others.push(suspect) }
        }
    }
    Ok(proposals)
}

/// Takes in what the provider said of a payment, and of what may take it back. Doing it again changes nothing.
pub async fn apply(ctx: &Context, suspect: &Suspect) -> Result<()> {
    let Some(theirs) = &suspect.theirs else { return Err(Error::NotFound) };
    let adapter =
        ctx.providers.get(suspect.provider).ok_or_else(|| Error::unavailable("the provider is not set up"))?;
    let facts = with_reversals(adapter, theirs.clone()).await.map_err(asked_in_vain)?;
    take_in(ctx, adapter, &facts).await
}
