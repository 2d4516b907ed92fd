//! Looking through a window at one provider: every payment there, against ours and the ledger.

use std::collections::HashSet;

use domain::Provider;
use time::Duration;

use super::compare::{compare, compare_reversal, subject};
use super::ours::{self, Asked, Ours};
use super::{BreakKind, Finding, Window};
use crate::events::{Fact, PaymentFacts};
use crate::providers::{PaymentProvider, ProviderError, Unreadable};
use crate::{Context, Error, Result};

/// Near its ends, a payment may be inside by their clock and outside by ours.
const EDGE: Duration = Duration::minutes(15);
/// Refunds and disputes looked up by one query.
const REVERSALS_AT_ONCE: usize = 1_000;

/// What was looked at, and what of it does not agree.
#[derive(Debug, Clone, Default)]
pub struct Examined {
    /// Every subject that was looked at.
    pub subjects: Vec<String>,
    /// Of these, only refunds and disputes were looked at.
    pub reversed: Vec<String>,
    pub suspects: Vec<Suspect>,
}

/// A payment that doesn't agree.
#[derive(Debug, Clone)]
pub struct Suspect {
    pub provider: Provider,
    pub payment_id: String,
    /// What the provider says. None: it doesn't have it, or it can't be read.
    pub said: Option<Fact>,
    /// It is for an order of ours, and we never heard of it.
    pub is_news: bool,
    pub findings: Vec<Finding>,
}

impl Suspect {
    /// Whether taking in what the provider said puts it right; what is news is at least known then, and stands with its
    /// order.
    pub fn heals(&self) -> bool {
        self.said.is_some() && (self.is_news || self.findings.iter().any(|finding| finding.kind.heals_by_settling()))
    }
}

/// Looks at every payment that was made in the window.
///
/// Errors: [`Error::Unavailable`] when the provider can't be reached.
pub async fn examine(ctx: &Context, adapter: &dyn PaymentProvider, window: Window) -> Result<Examined> {
    let provider = adapter.name();
    let mut examined = Examined::default();
    let mut seen = HashSet::new();
    let mut cursors = HashSet::new();
    let mut cursor = None;
    loop {
        let page = adapter.payments_between(window, cursor.as_deref()).await.map_err(asked_in_vain)?;
        for Unreadable { payment_id, reason } in page.unreadable {
            let finding = Finding {
                kind: BreakKind::UnknownPayment,
                subject: subject(provider, &payment_id),
                detail: format!("it can't be read: {reason}"),
                order: None,
            };
            examined.subjects.push(finding.subject.clone());
            seen.insert(payment_id.clone());
            examined.suspects.push(Suspect {
                provider,
                payment_id,
                said: None,
                is_news: false,
                findings: vec![finding],
            });
        }
        // Pages move while they are read: what was seen is not looked at twice.
        let payments = page.payments.into_iter().filter(|payment| seen.insert(payment.payment_id.clone())).collect();
        look_at(ctx, provider, payments, &mut examined).await?;
        match page.next {
            // Half a list must not pass for the whole.
            Some(next) if !cursors.insert(next.clone()) => return Err(Error::broken("a list of payments goes round")),
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    look_for_missing(ctx, provider, window, &seen, &mut examined).await?;
    let facts = adapter.reversals_since(window.from).await.map_err(asked_in_vain)?;
    // Settling such a payment asks for its refunds and disputes, too.
    let settled: HashSet<String> =
        examined.suspects.iter().filter(|suspect| suspect.heals()).map(|suspect| suspect.payment_id.clone()).collect();
    for facts in facts.chunks(REVERSALS_AT_ONCE) {
        look_at_reversals(ctx, provider, facts, &settled, &mut examined).await?;
    }
    Ok(examined)
}

async fn look_at(
    ctx: &Context,
    provider: Provider,
    payments: Vec<PaymentFacts>,
    examined: &mut Examined,
) -> Result<()> {
    examined.subjects.extend(payments.iter().map(|payment| subject(provider, &payment.payment_id)));
    let suspicious = disagreeing(ctx, provider, payments).await?;
    // A webhook may have been under way while they were listed; what is still wrong a moment later is wrong.
    let again = suspicious.into_iter().map(|(theirs, _)| theirs).collect();
    for (theirs, ours) in disagreeing(ctx, provider, again).await? {
        let findings = compare(provider, Some(&theirs), &ours);
        let is_news = ours.payment.is_none() && ours.order.is_some();
        let said = Some(Fact::Payment(theirs));
        examined.suspects.push(Suspect { provider, payment_id: ours.payment_id, said, is_news, findings });
    }
    Ok(())
}

async fn disagreeing(
    ctx: &Context,
    provider: Provider,
    payments: Vec<PaymentFacts>,
) -> Result<Vec<(PaymentFacts, Ours)>> {
    if payments.is_empty() {
        return Ok(Vec::new());
    }
    let asked: Vec<Asked> = payments
        .iter()
        .map(|payment| Asked { payment_id: payment.payment_id.clone(), checkout_id: payment.checkout_id.clone() })
        .collect();
    let mut ours: std::collections::HashMap<String, Ours> =
        ours::load(&ctx.db, provider, &asked).await?.into_iter().map(|ours| (ours.payment_id.clone(), ours)).collect();
    Ok(payments
        .into_iter()
        .filter_map(|theirs| {
            let ours = ours.remove(&theirs.payment_id)?;
            (!compare(provider, Some(&theirs), &ours).is_empty()).then_some((theirs, ours))
        })
        .collect())
}

/// What we have and the provider does not list.
async fn look_for_missing(
    ctx: &Context,
    provider: Provider,
    window: Window,
    seen: &HashSet<String>,
    examined: &mut Examined,
) -> Result<()> {
    let well_inside = Window { from: window.from + EDGE, to: window.to - EDGE };
    let mut missing = ours::heard_of(&ctx.db, provider, well_inside).await?;
    missing.retain(|asked| !seen.contains(&asked.payment_id));
    for ours in ours::load(&ctx.db, provider, &missing).await? {
        let subject = subject(provider, &ours.payment_id);
        let findings = compare(provider, None, &ours);
        if !findings.is_empty() {
            examined.suspects.push(Suspect {
                provider,
                payment_id: ours.payment_id,
                said: None,
                is_news: false,
                findings,
            });
        }
        examined.subjects.push(subject);
    }
    Ok(())
}

/// Refunds and disputes of payments that may be older than the window. `settled`: payments that are put right anyway.
async fn look_at_reversals(
    ctx: &Context,
    provider: Provider,
    facts: &[Fact],
    settled: &HashSet<String>,
    examined: &mut Examined,
) -> Result<()> {
    let known = ours::reversals(&ctx.db, provider, facts).await?;
    for fact in facts {
        // What is no payment of ours is no business of ours, or found with its payment.
        let Some(known) = known.get(&ours::reversal_id(fact)) else { continue };
        let (payment_id, subject) = (fact.payment_id().to_owned(), subject(provider, fact.payment_id()));
        if let Some((kind, detail)) = compare_reversal(fact, known.as_deref())
            && !settled.contains(&payment_id)
        {
            let finding = Finding { kind, subject: subject.clone(), detail, order: None };
            let said = Some(fact.clone());
            examined.suspects.push(Suspect { provider, payment_id, said, is_news: false, findings: vec![finding] });
        }
        examined.reversed.push(subject);
    }
    Ok(())
}

pub(super) fn asked_in_vain(error: ProviderError) -> Error {
    match error {
        ProviderError::Unreachable(_) => Error::unavailable(error),
        error => Error::broken(error),
    }
}
