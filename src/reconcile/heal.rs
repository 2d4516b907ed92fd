//! An incident window: what is missing is proposed, and on confirmation taken in through the same settling as webhooks.

use super::Window;
use super::examine::{Suspect, asked_in_vain, examine};
use crate::events::Fact;
use crate::orders::settle::ask::{take_in, with_reversals};
use crate::{Context, Error, Result};

/// As many as fit a short transaction.
pub const AT_ONCE: usize = 100;

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
            if suspect.heals() { proposals.healable.push(suspect) } else { proposals.others.push(suspect) }
        }
    }
    Ok(proposals)
}

/// Takes in what the provider said of payments, and of what may take them back: all of them in one transaction for each
/// provider, so hand them over some [`AT_ONCE`] at a time. Doing it again changes nothing.
///
/// Errors: [`Error::NotFound`] when the provider said nothing of one; nothing was changed then.
pub async fn apply(ctx: &Context, suspects: &[Suspect]) -> Result<()> {
    for adapter in ctx.providers.all() {
        let (mut payments, mut reversals) = (Vec::new(), Vec::new());
        for suspect in suspects.iter().filter(|suspect| suspect.provider == adapter.name()) {
            match suspect.said.clone().ok_or(Error::NotFound)? {
                Fact::Payment(payment) => payments.push(payment),
                reversal => reversals.push(reversal),
            }
        }
        let mut facts = with_reversals(ctx, adapter, payments).await?.map_err(asked_in_vain)?;
        facts.extend(reversals);
        take_in(ctx, adapter, &facts).await?;
    }
    Ok(())
}
