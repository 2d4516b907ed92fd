//! Paying a payment back: what would come of it, and asking for it. The request is written down first; the provider is told
//! afterwards ([`send`]); what it does is booked as any other news of a refund. A limit higher up, another admin confirms
//! first ([`confirm`]).

pub mod confirm;
pub mod list;
mod preview;
pub mod send;

use std::time::Duration;

use domain::{Currency, FieldErrors, Money, OrderId, PersonId, Provider, RefundRequestId, RefundRequestState};
use sqlx::PgConnection;

pub use self::preview::{Preview, preview, preview_waiting};
use super::FormKey;
use crate::audit::{self, About, Change, Origin, Reason, What};
use crate::limits::ADMIN_WRITES;
use crate::people::fresh::Fresh;
use crate::people::roles::Finance;
use crate::{Context, Error, Refusal, Result, approvals, ids, limits, tasks};

/// A person waits for the provider's answer at most so long: less than a request may take.
const ANSWER_WAIT: Duration = Duration::from_secs(8);

/// A payment of which something can be paid back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refundable {
    pub order: OrderId,
    pub provider: Provider,
    pub payment_id: String,
    pub buyer: PersonId,
    pub buyer_email: String,
    pub plan_name: String,
    /// What the buyer was charged.
    pub charged: Money,
    /// Of that, neither gone nor on its way back nor asked for.
    pub left: Money,
    /// What was asked back of it here and not turned down, in all.
    pub asked: Money,
}

/// A refund that somebody wants.
#[derive(Debug, Clone)]
pub struct Wish {
    pub of: Refundable,
    pub amount: Money,
    pub reason: Reason,
    pub key: FormKey,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    pub id: RefundRequestId,
    pub state: RefundRequestState,
}

/// What of an order's payment can be paid back now.
///
/// Errors: [`Error::NotFound`]; [`Refusal::NothingToRefund`]; [`Refusal::PaymentIsDisputed`].
pub async fn refundable(ctx: &Context, _: &Finance, order: OrderId, payment_id: &str) -> Result<Refundable> {
    let mut db = ctx.db.acquire().await?;
    load(&mut db, order, payment_id, None).await
}

/// Asks for a refund. Up to [`approvals::REFUND_ALONE_MAX`] the provider is told at once, and again until it answers; above,
/// once another admin has confirmed. The same form sent again is the same request.
///
/// Errors: as [`refundable`]; [`Error::Invalid`] for `amount`; [`Refusal::FormUsedBefore`]; [`Refusal::TooManyTries`].
pub async fn ask(ctx: &Context, finance: &Finance, _: &Fresh, origin: &Origin, wish: &Wish) -> Result<Asked> {
    limits::take(ctx, &ADMIN_WRITES, &finance.person().id().to_string()).await?;
    let amount = wish.amount;
    let mut tx = ctx.db.begin().await?;
    lock(&mut tx, &wish.of).await?;
    if let Some(asked) = asked_before(&mut tx, finance, wish).await? {
        return Ok(asked);
    }
    let now = load(&mut tx, wish.of.order, &wish.of.payment_id, None).await?;
    check(&now, amount)?;
    let takes_two = approvals::refund_takes_two(Money::new(now.asked.minor + amount.minor, amount.currency));
    let asked = Asked {
        id: RefundRequestId::from_uuid(ids::fresh()),
        state: if takes_two { RefundRequestState::Waiting } else { RefundRequestState::Wanted },
    };
    sqlx::query!(
        "insert into refund_requests (id, key, provider, payment_id, order_id, amount_minor, currency, reason, asked_by,
            takes_two, state, next_try_at, created_at, changed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, case when $11 = 'wanted' then $12::timestamptz end, $12, $12)",
        asked.id as RefundRequestId,
        wish.key.as_str(),
        now.provider as Provider,
        now.payment_id,
        now.order as OrderId,
        amount.minor,
        amount.currency as Currency,
        wish.reason.as_str(),
        finance.person().id() as PersonId,
        takes_two,
        asked.state as RefundRequestState,
        ctx.now(),
    )
    .execute(&mut *tx)
    .await?;
    let change = Change::none().noted("payment", now.payment_id.as_str()).noted("amount", amount.to_string());
    let by = finance.by(origin);
    let deed = by.did(What::RefundAsked, About::Order(now.order)).with(change.noted("takes_two", takes_two));
    audit::record(&mut tx, &deed.because(wish.reason.as_str())).await?;
    tx.commit().await?;
    told_at_once(ctx, asked).await
}

/// Tells the provider now, whoever hangs up, and waits a while for what it says. If that fails it is told again later, so it
/// is no failure of the request.
async fn told_at_once(ctx: &Context, asked: Asked) -> Result<Asked> {
    if asked.state != RefundRequestState::Wanted {
        return Ok(asked);
    }
    let (context, id) = (ctx.clone(), asked.id);
    let told = tasks::run_to_end(async move { send::send(&context, id).await });
    match tokio::time::timeout(ANSWER_WAIT, told).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(refund_request.id = %id, error = ?error, "the provider is told of a refund later");
        }
        Err(_) => tracing::warn!(refund_request.id = %id, "the provider takes long to answer to a refund"),
    }
    let state = sqlx::query_scalar!(
        r#"select state as "state: RefundRequestState" from refund_requests where id = $1"#,
        id as RefundRequestId,
    )
    .fetch_one(&ctx.db)
    .await?;
    Ok(Asked { id, state })
}

fn check(now: &Refundable, amount: Money) -> Result<()> {
    let wrong = |said: String| Err(Error::Invalid(FieldErrors::one("amount", said)));
    if amount.currency != now.left.currency {
        return wrong(format!("This payment was made in {}.", now.left.currency.code()));
    }
    if amount.minor <= 0 {
        return wrong("Enter an amount above zero.".to_owned());
    }
    if amount.minor > now.left.minor {
        return wrong(format!("At most {} can still be paid back.", now.left));
    }
    Ok(())
}

/// Two who ask for the same payment wait for each other here, and so does whoever books news of it.
async fn lock(tx: &mut PgConnection, wanted: &Refundable) -> Result<()> {
    sqlx::query!(
        "select 1 as one from payments where provider = $1 and payment_id = $2 and order_id = $3 for no key update",
        wanted.provider as Provider,
        wanted.payment_id,
        wanted.order as OrderId,
    )
    .fetch_optional(tx)
    .await?
    .map(drop)
    .ok_or(Error::NotFound)
}

async fn asked_before(tx: &mut PgConnection, finance: &Finance, wish: &Wish) -> Result<Option<Asked>> {
    let before = sqlx::query!(
        r#"select id as "id: RefundRequestId", state as "state: RefundRequestState", (provider, payment_id, amount_minor,
            currency, asked_by) = ($2, $3, $4::bigint, $5, $6::uuid) as "same!"
        from refund_requests where key = $1"#,
        wish.key.as_str(),
        wish.of.provider as Provider,
        wish.of.payment_id,
        wish.amount.minor,
        wish.amount.currency as Currency,
        finance.person().id() as PersonId,
    )
    .fetch_optional(tx)
    .await?;
    match before {
        Some(before) if before.same => Ok(Some(Asked { id: before.id, state: before.state })),
        Some(_) => Err(Refusal::FormUsedBefore.into()),
        None => Ok(None),
    }
}

/// What is asked for and not yet told by the provider as a refund counts as gone, `but` for one request; so does what is lost in
/// a dispute.
async fn load(
    db: &mut PgConnection,
    order: OrderId,
    payment_id: &str,
    but: Option<RefundRequestId>,
) -> Result<Refundable> {
    let row = sqlx::query!(
        r#"select payment.provider as "provider: Provider", person.id as "buyer: PersonId", person.known_as as "email!", o.plan_name,
            coalesce(payment.charged_minor, payment.amount_minor) as "charged_minor", payment.currency as "currency: Currency",
            payment.refunded_minor,
            coalesce((select sum(amount_minor) from refunds r where r.provider = payment.provider
                and r.payment_id = payment.payment_id and r.currency = payment.currency
                and r.state in ('pending', 'requires_action')), 0)::bigint as "under_way!",
            coalesce((select sum(amount_minor) from refund_requests q where q.provider = payment.provider
                and q.payment_id = payment.payment_id and q.state in ('waiting', 'wanted', 'sent') and q.id is distinct from $3
                and not exists (
                    select from refunds r where r.request_id = q.id and r.provider = q.provider
                        and r.payment_id = q.payment_id)), 0)::bigint as "open!",
            coalesce((select sum(amount_minor) from refund_requests q where q.provider = payment.provider
                and q.payment_id = payment.payment_id and q.state in ('waiting', 'wanted', 'sent')
                and q.id is distinct from $3), 0)::bigint as "asked!",
            coalesce((select sum(coalesce(d.amount_minor, payment.charged_minor, payment.amount_minor)) from disputes d
                where d.provider = payment.provider and d.payment_id = payment.payment_id and d.state = 'lost'), 0)::bigint
                as "lost!",
            exists (select from disputes d where d.provider = payment.provider and d.payment_id = payment.payment_id
                and d.state = 'open') as "disputed!"
        from payments payment
        join credit_orders o on o.id = payment.order_id
        join user_profiles person on person.id = o.buyer_id
        where payment.order_id = $1 and payment.payment_id = $2 and payment.provider = o.provider"#,
        order as OrderId,
        payment_id,
        but as Option<RefundRequestId>,
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::NotFound)?;
    let (Some(charged), Some(currency)) = (row.charged_minor, row.currency) else {
        return Err(Refusal::NothingToRefund.into());
    };
    if row.disputed {
        return Err(Refusal::PaymentIsDisputed.into());
    }
    let gone = row.refunded_minor.saturating_add(row.under_way).saturating_add(row.open).saturating_add(row.lost);
    let left = charged.saturating_sub(gone);
    if left <= 0 {
        return Err(Refusal::NothingToRefund.into());
    }
    Ok(Refundable {
        order,
        provider: row.provider,
        payment_id: payment_id.to_owned(),
        buyer: row.buyer,
        buyer_email: row.email,
        plan_name: row.plan_name,
        charged: Money::new(charged, currency),
        left: Money::new(left, currency),
        asked: Money::new(row.asked, currency),
    })
}
