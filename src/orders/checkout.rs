//! Starting a checkout: write the order down, have the provider make a checkout for it, send the buyer there.

use domain::{
    Credits, Currency, FailureReason, Money, OrderId, OrderState, PersonId, PlanId, PlanVersionId, Price, Provider,
};
use sqlx::{PgConnection, PgExecutor};
use time::Duration;

use super::{Choice, FormKey, route};
use crate::people::SignedIn;
use crate::plans::{self, Offer};
use crate::providers::{Checkout, CheckoutRequest, ProviderError};
use crate::reconcile::sweep;
use crate::settings::{self, Switches};
use crate::{Context, Error, Refusal, Result, ids, memberships, tasks};

/// Declined payments of one buyer within [`DECLINES_COUNTED_FOR`]. Stolen cards are tried out in small purchases.
const DECLINES_MAX: i64 = 5;
const DECLINES_COUNTED_FOR: Duration = Duration::days(1);
/// For whom an admin set a limit.
const PURCHASES_COUNTED_FOR: Duration = Duration::hours(24);

/// Where the buyer goes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// To the provider's checkout.
    Checkout(String),
    /// To the order's own page: money came or is on its way, or its time is over.
    Order(OrderId),
}

/// Starts buying a plan. The same form sent again, even at the same moment, leads to the same checkout.
///
/// Errors: [`Refusal::PaymentsAreStopped`], what [`memberships::require`] refuses, [`Refusal::PlanNotOnSale`], [`Refusal::PlanIsByAgreement`],
/// [`Refusal::PlanNotSoldIn`], [`Refusal::OrderedByRequest`], [`Refusal::DailyLimit`], [`Refusal::FormUsedForAnotherPlan`],
/// [`Refusal::FormUsedForAnotherCurrency`], [`Refusal::TooManyDeclines`];
/// [`Refusal::CheckoutUnavailable`] when the provider made none: then the order is closed as failed and nothing was
/// charged; the same form may be sent again.
pub async fn start(ctx: &Context, buyer: &SignedIn, choice: impl Into<Choice>, key: FormKey) -> Result<Started> {
    let choice = choice.into();
    let switches = settings::read(&ctx.db).await?;
    if switches.stopped.is_some() {
        return Err(Refusal::PaymentsAreStopped.into());
    }
    refuse_after_declines(ctx, buyer.id()).await?;
    let order = if let Some(order) = find(ctx, buyer.id(), &key).await? {
        order
    } else {
        // Read again when the order is written down: to ask about a membership may take seconds.
        let offer = plans::catalogue::find(&ctx.db, choice.plan).await?.ok_or(Refusal::PlanNotOnSale)?;
        memberships::require(ctx, buyer, &offer.slug).await?;
        write_down(ctx, buyer, &switches, choice, &key).await?
    };
    choice.is_still(order.plan, order.price)?;
    if let Some(url) = order.checkout_url {
        // Once money is on its way, going there again would pay twice.
        let is_payable = matches!(order.state, OrderState::Opened | OrderState::Failed);
        return Ok(if is_payable { Started::Checkout(url) } else { Started::Order(order.id) });
    }
    if !matches!(order.state, OrderState::Created | OrderState::Failed) {
        return Ok(Started::Order(order.id));
    }
    let (ctx, id) = (ctx.clone(), order.id);
    tasks::run_to_end(async move { open(&ctx, order).await })
        .await
        .map(|url| url.map_or(Started::Order(id), Started::Checkout))
}

/// What is needed of an order to open its checkout.
struct NewOrder {
    id: OrderId,
    plan: PlanId,
    plan_name: String,
    credits: Credits,
    price: Price,
    provider: Provider,
    state: OrderState,
    checkout_url: Option<String>,
}

async fn refuse_after_declines(ctx: &Context, buyer: PersonId) -> Result<()> {
    let declined = sqlx::query_scalar!(
        r#"select count(*) as "count!" from payments where buyer_id = $1 and state = 'failed' and changed_at > $2"#,
        buyer as PersonId,
        ctx.now() - DECLINES_COUNTED_FOR,
    )
    .fetch_one(&ctx.db)
    .await?;
    if declined >= DECLINES_MAX { Err(Refusal::TooManyDeclines.into()) } else { Ok(()) }
}

async fn find(ctx: &Context, buyer: PersonId, key: &FormKey) -> Result<Option<NewOrder>> {
    let row = sqlx::query!(
        r#"select o.id as "id: OrderId", version.plan_id as "plan: PlanId", o.plan_name, o.credits as "credits: Credits",
            o.price_minor, o.currency as "currency: Currency", o.provider as "provider: Provider",
            o.state as "state: OrderState", o.checkout_url
        from credit_orders o join plan_versions version on version.id = o.plan_version_id
        where o.buyer_id = $1 and o.key = $2"#,
        buyer as PersonId,
        key.as_str(),
    )
    .fetch_optional(&ctx.db)
    .await?;
    Ok(row.map(|row| NewOrder {
        id: row.id,
        plan: row.plan,
        plan_name: row.plan_name,
        credits: row.credits,
        price: plans::catalogue::price(row.price_minor, row.currency),
        provider: row.provider,
        state: row.state,
        checkout_url: row.checkout_url,
    }))
}

/// The order with a snapshot of what is offered now: a later edit of the plan changes nothing of it.
async fn write_down(
    ctx: &Context,
    buyer: &SignedIn,
    switches: &Switches,
    choice: Choice,
    key: &FormKey,
) -> Result<NewOrder> {
    let offer = plans::catalogue::find(&ctx.db, choice.plan).await?.ok_or(Refusal::PlanNotOnSale)?;
    let Price::Fixed(price) = choice.price(&offer)? else { return Err(Refusal::PlanIsByAgreement.into()) };
    let provider = match route::of(&ctx.providers, switches.rules(&ctx.providers), buyer) {
        Provider::Manual => return Err(Refusal::OrderedByRequest.into()),
        provider => provider,
    };
    if buyer.daily_credits_max().is_some() {
        let mut tx = ctx.db.begin().await?;
        refuse_above_limit(ctx, &mut tx, buyer.id(), key, offer.credits).await?;
        insert(ctx, &mut *tx, buyer.id(), &offer, price, provider, key).await?;
        tx.commit().await?;
    } else {
        insert(ctx, &ctx.db, buyer.id(), &offer, price, provider, key).await?;
    }
    // Also when someone was faster with the same key: then it is their order.
    find(ctx, buyer.id(), key).await?.ok_or_else(|| Error::broken("a new order is not there"))
}

/// Everything counts that was paid or may still be. The person's row is locked, so of two orders at once the second sees the
/// first; the same form sent twice is one order.
async fn refuse_above_limit(
    ctx: &Context,
    tx: &mut PgConnection,
    buyer: PersonId,
    key: &FormKey,
    credits: Credits,
) -> Result<()> {
    let limit = sqlx::query_scalar!(
        r#"select daily_credits_max as "limit: Credits" from user_profiles where id = $1 for no key update"#,
        buyer as PersonId,
    )
    .fetch_one(&mut *tx)
    .await?;
    let Some(limit) = limit else { return Ok(()) };
    let begun = sqlx::query_scalar!(
        r#"select coalesce(sum(credits), 0)::bigint as "begun!" from credit_orders
        where buyer_id = $1 and created_at > $2 and provider <> 'manual' and key <> $3
            and (state in ('created', 'opened', 'processing', 'under_review', 'paid')
                or state = 'failed' and checkout_id is not null)"#,
        buyer as PersonId,
        ctx.now() - PURCHASES_COUNTED_FOR,
        key.as_str(),
    )
    .fetch_one(tx)
    .await?;
    if begun.saturating_add(credits.get()) > limit.get() { Err(Refusal::DailyLimit { limit }.into()) } else { Ok(()) }
}

async fn insert(
    ctx: &Context,
    db: impl PgExecutor<'_>,
    buyer: PersonId,
    offer: &Offer,
    price: Money,
    provider: Provider,
    key: &FormKey,
) -> Result<()> {
    let id = OrderId::from_uuid(ids::fresh());
    let (bonus, bonus_days) = plans::bonus::columns(offer.bonus);
    sqlx::query!(
        "insert into credit_orders (id, buyer_id, key, plan_version_id, plan_name, credits, price_minor, currency, provider,
            state, next_ask_at, created_at, changed_at, expires_after_days, bonus_credits, bonus_expires_after_days)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'created', $11, $10, $10, $12, $13, $14)
        on conflict on constraint credit_orders_key do nothing",
        id as OrderId,
        buyer as PersonId,
        key.as_str(),
        offer.version as PlanVersionId,
        offer.name,
        offer.credits as Credits,
        price.minor,
        price.currency as Currency,
        provider as Provider,
        ctx.now(),
        ctx.now() + sweep::FIRST_ASK,
        offer.expires_after_days,
        bonus as Credits,
        bonus_days,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Has the provider make the checkout, and remembers it. None: the order moved on meanwhile.
async fn open(ctx: &Context, order: NewOrder) -> Result<Option<String>> {
    let Price::Fixed(price) = order.price else { return Ok(None) };
    let request = CheckoutRequest {
        order: order.id,
        title: format!("{}: {} credits", order.plan_name, order.credits),
        price,
        return_url: format!("{}{}", ctx.public_url, domain::paths::payment_status(order.id)),
    };
    let opened = match ctx.providers.get(order.provider) {
        Some(provider) => provider.open_checkout(&request).await,
        None => Err(ProviderError::Misconfigured("it is not set up here".to_owned())),
    };
    match opened {
        Ok(checkout) => remember(ctx, order.id, &checkout).await,
        Err(error) => give_up(ctx, order.id, &error).await,
    }
}

async fn remember(ctx: &Context, order: OrderId, checkout: &Checkout) -> Result<Option<String>> {
    // It changes no row when the same form, sent twice, got there first: the provider gave both the same checkout.
    let remembered = sqlx::query!(
        "update credit_orders set state = 'opened', failure = null, failure_message = null, checkout_id = $2,
            checkout_url = $3, provider_plan_id = $4, opened_at = $5, changed_at = $5
        where id = $1 and state in ('created', 'failed') and checkout_id is null",
        order as OrderId,
        checkout.id,
        checkout.url,
        checkout.plan_id,
        ctx.now(),
    )
    .execute(&ctx.db)
    .await;
    match remembered {
        Ok(_) => checkout_url(ctx, order).await,
        Err(error) if is_of_another_order(&error) => {
            let error = ProviderError::Unreadable(format!("checkout {} is another order's", checkout.id));
            give_up(ctx, order, &error).await
        }
        Err(error) => Err(error.into()),
    }
}

fn is_of_another_order(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|database| database.constraint()) == Some("credit_orders_checkout")
}

/// Closes the order as failed, unless the same form, sent twice, got through elsewhere: then that checkout is the answer.
async fn give_up(ctx: &Context, order: OrderId, error: &ProviderError) -> Result<Option<String>> {
    tracing::error!(order.id = %order, %error, "no checkout could be opened");
    close_as_unavailable(ctx, order).await?;
    match checkout_url(ctx, order).await? {
        Some(url) => Ok(Some(url)),
        None => Err(Refusal::CheckoutUnavailable.into()),
    }
}

async fn checkout_url(ctx: &Context, order: OrderId) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!("select checkout_url from credit_orders where id = $1", order as OrderId)
        .fetch_one(&ctx.db)
        .await?)
}

async fn close_as_unavailable(ctx: &Context, order: OrderId) -> Result<()> {
    sqlx::query!(
        "update credit_orders set state = 'failed', failure = $2, changed_at = $3 where id = $1 and state = 'created'",
        order as OrderId,
        FailureReason::CheckoutUnavailable as FailureReason,
        ctx.now(),
    )
    .execute(&ctx.db)
    .await?;
    Ok(())
}
