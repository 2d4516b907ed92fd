//! Letters to buyers, from what is true when they are sent.

use domain::{Credits, Currency, FailureReason, Money, OrderId, OrderState, PaymentState, paths};
use time::OffsetDateTime;
use time::macros::format_description;

use super::letter::Letter;
use crate::{Context, Result};

/// A letter and the address it goes to.
pub type Addressed = (String, Letter);

/// An order's payment, with what letters say of it.
struct Bought {
    email: String,
    plan_name: String,
    credits: Credits,
    bonus: Credits,
    order_state: OrderState,
    payment_state: PaymentState,
    amount: Option<Money>,
    method: Option<String>,
    paid_at: Option<OffsetDateTime>,
    granted: bool,
    failure: Option<FailureReason>,
    failure_message: Option<String>,
    provider: &'static str,
}

async fn load(ctx: &Context, order: OrderId, payment: &str) -> Result<Option<Bought>> {
    let row = sqlx::query!(
        r#"select coalesce(person.email, person.claimed_email) as "email!", o.plan_name,
            o.credits as "credits: Credits", o.bonus_credits as "bonus: Credits", o.state as "order_state: OrderState",
            o.provider as "provider: domain::Provider", p.state as "payment_state: PaymentState", p.amount_minor,
            p.currency as "currency: Currency", p.method, p.paid_at, p.granted_by is not null as "granted!",
            p.failure as "failure: FailureReason", p.failure_message
        from credit_orders o
        join user_profiles person on person.id = o.buyer_id and person.deleted_at is null
        join payments p on p.provider = o.provider and p.order_id = o.id and p.payment_id = $2
        where o.id = $1"#,
        order as OrderId,
        payment,
    )
    .fetch_optional(&ctx.db)
    .await?;
    Ok(row.map(|row| Bought {
        email: row.email,
        plan_name: row.plan_name,
        credits: row.credits,
        bonus: row.bonus,
        order_state: row.order_state,
        payment_state: row.payment_state,
        amount: row.amount_minor.zip(row.currency).map(|(minor, currency)| Money::new(minor, currency)),
        method: row.method,
        paid_at: row.paid_at,
        granted: row.granted,
        failure: row.failure,
        failure_message: row.failure_message,
        provider: row.provider.title(),
    }))
}

/// Nothing where there is none.
fn bonus(credits: Credits) -> Option<(&'static str, String)> {
    (credits > Credits::ZERO).then(|| ("Bonus credits", credits.to_string()))
}

/// None: nothing was granted for it after all.
pub(super) async fn receipt(ctx: &Context, order: OrderId, payment: &str) -> Result<Option<Addressed>> {
    let Some(paid) = load(ctx, order, payment).await?.filter(|paid| paid.granted) else { return Ok(None) };
    let mut facts = vec![("Plan", paid.plan_name.clone()), ("Credits", paid.credits.to_string())];
    facts.extend(bonus(paid.bonus));
    facts.extend(paid.amount.map(|amount| ("Price", price(amount))));
    facts.extend(paid.method.map(|method| ("Paid with", method)));
    facts.extend(paid.paid_at.map(|at| ("Paid on", moment(at))));
    facts.push(("Order", order.to_string()));
    facts.push(("Payment", payment.to_owned()));
    let letter = Letter::new(format!("Receipt: {} credits", paid.credits))
        .sentence("Thank you. Your payment went through, and the credits are in your wallet.")
        .facts(facts)
        .link("Your receipt", address(ctx, &paths::receipt(order)))
        .link("Your balance", address(ctx, paths::CREDITS));
    Ok(Some((paid.email, letter)))
}

/// None: meanwhile it went through after all, by this payment or another one.
pub(super) async fn payment_failed(ctx: &Context, order: OrderId, payment: &str) -> Result<Option<Addressed>> {
    let failed = load(ctx, order, payment).await?.filter(|paid| {
        matches!(paid.payment_state, PaymentState::Failed | PaymentState::Canceled)
            && matches!(paid.order_state, OrderState::Failed | OrderState::Opened | OrderState::Expired)
    });
    let Some(failed) = failed else { return Ok(None) };
    let mut facts = vec![("Plan", failed.plan_name.clone()), ("Credits", failed.credits.to_string())];
    facts.extend(bonus(failed.bonus));
    facts.extend(failed.failure_message.map(|message| (failed.provider, message)));
    facts.push(("Order", order.to_string()));
    let letter = Letter::new("Your payment did not go through")
        .sentence(format!("{} No money moved, and no credits were added.", why(failed.failure)))
        .facts(facts)
        .sentence(what_next(failed.failure))
        .link("Buy again", address(ctx, paths::CREDITS))
        .link("Your order", address(ctx, &paths::payment_status(order)));
    Ok(Some((failed.email, letter)))
}

/// None: no money went back (yet).
pub(super) async fn refunded(ctx: &Context, order: OrderId, refund: &str) -> Result<Option<Addressed>> {
    let row = sqlx::query!(
        r#"select coalesce(person.email, person.claimed_email) as "email!", o.plan_name, refund.amount_minor, refund.currency as "currency: Currency",
            p.refunded_minor, coalesce(p.charged_minor, p.amount_minor) as "charged_minor",
            p.taken_credits as "taken: Credits", p.taken_bonus as "taken_bonus: Credits", wallet.posted - wallet.held as "available!: Credits",
            wallet.debt as "debt: Credits"
        from refunds refund
        join payments p on p.provider = refund.provider and p.payment_id = refund.payment_id
        join credit_orders o on o.id = p.order_id
        join user_profiles person on person.id = o.buyer_id and person.deleted_at is null
        join credit_accounts wallet on wallet.owner_id = person.id and wallet.kind = 'wallet'
        where refund.refund_id = $2 and o.id = $1 and refund.provider = o.provider and refund.state = 'succeeded'"#,
        order as OrderId,
        refund,
    )
    .fetch_optional(&ctx.db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let amount = Money::new(row.amount_minor, row.currency);
    let mut facts = vec![("Plan", row.plan_name.clone()), ("Refunded", price(amount))];
    // Only worth saying when it is more than this one.
    if row.refunded_minor > row.amount_minor {
        facts.push(("Refunded of this order in all", price(Money::new(row.refunded_minor, row.currency))));
    }
    facts.push(("Credits taken back for this order", row.taken.to_string()));
    if row.taken_bonus > Credits::ZERO {
        facts.push(("Bonus credits taken back for this order", row.taken_bonus.to_string()));
    }
    facts.push(("Your balance", format!("{} credits", row.available)));
    if row.debt.get() > 0 {
        facts.push(("Credits owed", row.debt.to_string()));
    }
    facts.push(("Order", order.to_string()));
    facts.push(("Refund", refund.to_owned()));
    let mut letter = Letter::new(format!("Refund of {amount}"))
        .sentence(format!(
            "{amount} went back to where it was paid from. Depending on the bank it takes some days to show."
        ))
        .facts(facts);
    if row.debt.get() > 0 {
        letter = letter.sentence(format!(
            "Some of these credits were spent already, so {} credits are owed now. The next credits you buy repay them first; until then none can be spent.",
            row.debt
        ));
    }
    let letter = letter
        .link("Your statement", address(ctx, paths::TRANSACTIONS))
        .link("Your balance", address(ctx, paths::CREDITS));
    Ok(Some((row.email, letter)))
}

/// The answer to a request. None: it was not answered so.
pub(super) async fn answered(ctx: &Context, order: OrderId, said: OrderState) -> Result<Option<Addressed>> {
    let row = sqlx::query!(
        r#"select coalesce(person.email, person.claimed_email) as "email!", o.plan_name,
            o.granted_credits as "granted: Credits", o.answer_reason as "reason!",
            o.bonus_credits as "bonus: Credits"
        from credit_orders o join user_profiles person on person.id = o.buyer_id and person.deleted_at is null
        where o.id = $1 and o.state = $2 and o.answer_reason is not null"#,
        order as OrderId,
        said as OrderState,
    )
    .fetch_optional(&ctx.db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let mut facts = vec![("Plan", row.plan_name)];
    facts.extend(row.granted.map(|credits| ("Credits", credits.to_string())));
    facts.extend(row.granted.and_then(|_| bonus(row.bonus)));
    facts.push(("Order", order.to_string()));
    let letter = match row.granted {
        Some(credits) => Letter::new(format!("Approved: {credits} credits"))
            .sentence("Your request was approved, and the credits are in your wallet.")
            .facts(facts)
            .link("Your receipt", address(ctx, &paths::receipt(order)))
            .link("Your balance", address(ctx, paths::CREDITS)),
        None => Letter::new("Your request was declined")
            .sentence(format!("We can’t give you what you asked for: {}", row.reason))
            .sentence("Nothing was charged. You can choose another plan, or ask again, at any time.")
            .facts(facts)
            .link("The plans", address(ctx, paths::CREDITS)),
    };
    Ok(Some((row.email, letter)))
}

pub(super) const fn why(reason: Option<FailureReason>) -> &'static str {
    match reason {
        None | Some(FailureReason::Declined) => "The card was declined.",
        Some(FailureReason::CheckoutUnavailable) => "The checkout could not be opened.",
        Some(FailureReason::InsufficientFunds) => "The card has too little funds for this payment.",
        Some(FailureReason::ExpiredCard) => "The card has expired.",
        Some(FailureReason::AuthenticationFailed) => "The bank could not confirm that it was you.",
        Some(FailureReason::Canceled) => "The payment was canceled.",
    }
}

const fn what_next(reason: Option<FailureReason>) -> &'static str {
    match reason {
        Some(FailureReason::InsufficientFunds) => "Buy again with another card, or choose a smaller plan.",
        Some(FailureReason::ExpiredCard) => "Buy again with a card that is still valid.",
        Some(FailureReason::AuthenticationFailed) => {
            "Buy again, and confirm the payment when your bank asks you to; its app or a text message may be waiting."
        }
        Some(FailureReason::Canceled | FailureReason::CheckoutUnavailable) => "You can buy again at any time.",
        None | Some(FailureReason::Declined) => {
            "Buy again with another card, or ask your bank why it declined; it does not tell us."
        }
    }
}

pub(super) fn address(ctx: &Context, path: &str) -> String {
    format!("{}{path}", ctx.public_url)
}

/// With the currency's code: a symbol alone is many currencies.
fn price(amount: Money) -> String {
    format!("{amount} {}", amount.currency.code())
}

/// `21 Nov 2026, 14:05 UTC`.
pub(super) fn moment(at: OffsetDateTime) -> String {
    let form = format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC");
    at.to_offset(time::UtcOffset::UTC).format(form).unwrap_or_default()
}
