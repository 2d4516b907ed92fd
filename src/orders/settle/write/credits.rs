//! The credits that move with what changed in the books: granted with their bonus, taken back with it, each in one call of the
//! kernel.

use domain::ledger::LotSource;
use domain::{DisputeState, PersonId, Provider};
use sqlx::PgConnection;
use time::Duration;

use super::super::super::books::Books;
use super::super::load::missing;
use super::payment;
use crate::ledger::Key;
use crate::ledger::grant::{Grant, PaymentKey, grant_batch};
use crate::ledger::take_back::{Part, TakeBack, take_back_batch};
use crate::{Context, Error, Result};

/// Whose credits move: where two calls of the kernel follow, all their wallets are locked at once, in its order.
pub(super) fn buyers(books: &Books) -> Result<Vec<PersonId>> {
    let moved = books.changed.granted.iter().chain(books.changed.taken_back.keys());
    moved.map(|id| payment(books, id).map(|(_, _, order)| order.buyer)).collect()
}

pub(super) async fn grant_credits(ctx: &Context, tx: &mut PgConnection, books: &Books) -> Result<()> {
    let mut grants = Vec::new();
    for id in &books.changed.granted {
        let (id, payment, order) = payment(books, id)?;
        let paid = payment.amount.ok_or_else(|| missing("the amount of payment", id))?.paid;
        let ends = |days: Option<i32>| days.map(|days| ctx.now() + Duration::days(days.into()));
        let grant = Grant {
            transaction: payment.granted,
            key: Key::new(format!("{}:payment", books.provider), id),
            to: order.buyer,
            credits: order.credits,
            counter: match books.provider {
                Provider::Whop => "sales:whop",
                Provider::Stripe => "sales:stripe",
                Provider::Manual => "manual",
            },
            source: LotSource::Purchase,
            // From now on, and not from when it was paid: who was told late loses no day.
            expires_at: ends(order.expires_after_days),
            order: Some(order.id),
            paid: Some((PaymentKey { provider: books.provider, id: id.to_owned() }, paid)),
            actor: books.provider.to_string(),
            description: format!("Bought {}", order.plan_name),
        };
        let bonus = order.bonus.map(|bonus| {
            let ends_at = ends(bonus.ends_after_days(order.expires_after_days));
            grant.with_bonus(bonus.credits, ends_at, format!("Bonus of {}", order.plan_name))
        });
        grants.push(grant);
        grants.extend(bonus);
    }
    if grants.is_empty() {
        return Ok(());
    }
    for (moved, grant) in grant_batch(tx, &grants).await?.into_iter().zip(&grants) {
        // The payment's row says which transaction granted it; another one under this key is a mistake of ours, and so is a bonus
        // that came before.
        let moved = moved.map_err(Error::broken)?;
        if moved.replayed || grant.transaction.is_some_and(|named| named != moved.transaction) {
            return Err(Error::broken(format!("{} was granted before, by {}", grant.key.key, moved.transaction)));
        }
        tracing::info!(order.id = ?grant.order, payment.id = %grant.key.key, source = grant.source.as_str(), credits = grant.credits.get(), "credits granted");
    }
    Ok(())
}

pub(super) async fn take_credits_back(tx: &mut PgConnection, books: &Books) -> Result<()> {
    let mut wanted = Vec::new();
    for (id, before) in &books.changed.taken_back {
        let (id, payment, order) = payment(books, id)?;
        let lost = books.disputes_of(id).any(|dispute| dispute.state == DisputeState::Lost);
        let description = if payment.taken_in_all() < *before {
            format!("Refund of {} came back", order.plan_name)
        } else if lost {
            format!("Lost dispute over {}", order.plan_name)
        } else {
            format!("Refund of {}", order.plan_name)
        };
        let credits = TakeBack {
            payment: PaymentKey { provider: books.provider, id: id.to_owned() },
            part: Part::Bought,
            taken: payment.taken_back.taken,
            frozen: payment.taken_back.frozen,
            actor: books.provider.to_string(),
            description,
        };
        let bonus = order.bonus.map(|_| TakeBack {
            part: Part::Bonus,
            taken: payment.bonus_back.taken,
            frozen: payment.bonus_back.frozen,
            description: format!("{}: bonus", credits.description),
            ..credits.clone()
        });
        wanted.push(credits);
        wanted.extend(bonus);
    }
    if wanted.is_empty() {
        return Ok(());
    }
    for (moved, wanted) in take_back_batch(tx, &wanted).await?.into_iter().zip(&wanted) {
        let moved = moved.map_err(Error::broken)?;
        tracing::info!(payment.id = %wanted.payment.id, credits = moved.net.get(), debt = moved.debt_change.get(), "credits taken back or returned");
    }
    Ok(())
}
