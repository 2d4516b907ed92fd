//! Beginning an order by whatever path its buyer is on: at a provider's checkout, or as a request that a person answers. It is
//! for programs, which do not see the page that offers the one or the other.

use std::net::IpAddr;

use domain::{Currency, FieldErrors, OrderId, PersonId, PlanId, Price, Provider};

use super::request::{Note, submit};
use super::{Choice, FormKey, checkout, route};
use crate::limits::{self, ORDERS_BY_ADDRESS, ORDERS_BY_BUYER};
use crate::people::SignedIn;
use crate::{Context, Error, Refusal, Result, plans, settings};

/// What is to be ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    pub choice: Choice,
    /// Empty, or a word to whoever answers a request.
    pub note: Note,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    pub order: OrderId,
    /// It was there before, under the same key.
    pub again: bool,
}

/// One try at an order, by who buys and where they are.
///
/// Errors: [`Refusal::TooManyTries`].
pub async fn may_begin(ctx: &Context, buyer: &SignedIn, address: IpAddr) -> Result<()> {
    let (buyer, address) = (buyer.id().to_string(), limits::by_address(address));
    limits::take_all(ctx, &[(&ORDERS_BY_BUYER, &buyer), (&ORDERS_BY_ADDRESS, &address)]).await
}

/// Begins an order. The same wish under the same key is the same order, on the path that it was begun on.
///
/// Errors: what [`checkout::start`] and [`submit`] say; [`Refusal::KeyUsedForAnotherRequest`] for another wish under the same
/// key; [`Error::Invalid`] for a note that nobody would read.
pub async fn begin(ctx: &Context, buyer: &SignedIn, wish: &Wish, key: &FormKey) -> Result<Begun> {
    let earlier = find(ctx, buyer.id(), key).await?;
    let path = match &earlier {
        Some(earlier) => earlier.unless_another(wish)?.path,
        None => path(ctx, buyer, wish.choice.plan).await?,
    };
    if path == Provider::Manual {
        submit(ctx, buyer, wish.choice, wish.note.clone(), key.clone()).await?;
    } else if wish.note.as_str().is_empty() {
        checkout::start(ctx, buyer, wish.choice, key.clone()).await?;
    } else {
        let message = "This order is paid for at a checkout, where nobody reads a note. Leave it out.";
        return Err(Error::Invalid(FieldErrors::one("note", message)));
    }
    // Looked at again: another wish under this key may have been faster.
    let begun = find(ctx, buyer.id(), key).await?.ok_or_else(|| Error::broken("a new order is not there"))?;
    Ok(Begun { order: begun.unless_another(wish)?.id, again: earlier.is_some() })
}

async fn path(ctx: &Context, buyer: &SignedIn, plan: PlanId) -> Result<Provider> {
    let offer = plans::catalogue::find(&ctx.db, plan).await?.ok_or(Refusal::PlanNotOnSale)?;
    match offer.price {
        Price::ByAgreement => Ok(Provider::Manual),
        Price::Fixed(_) => {
            let rules = settings::read(&ctx.db).await?.rules(&ctx.providers);
            Ok(route::of(&ctx.providers, rules, buyer))
        }
    }
}

/// An order that was begun under a key.
struct Earlier {
    id: OrderId,
    path: Provider,
    plan: PlanId,
    price_minor: Option<i64>,
    currency: Option<Currency>,
    note: Option<String>,
}

impl Earlier {
    fn unless_another(&self, wish: &Wish) -> Result<&Self> {
        let price = plans::catalogue::price(self.price_minor, self.currency);
        let same = wish.choice.is_still(self.plan, price).is_ok()
            && self.note.as_deref().unwrap_or_default() == wish.note.as_str();
        if same { Ok(self) } else { Err(Refusal::KeyUsedForAnotherRequest.into()) }
    }
}

async fn find(ctx: &Context, buyer: PersonId, key: &FormKey) -> Result<Option<Earlier>> {
    Ok(sqlx::query_as!(
        Earlier,
        r#"select o.id as "id: OrderId", o.provider as "path: Provider", version.plan_id as "plan: PlanId",
            o.price_minor, o.currency as "currency: Currency", o.note
        from credit_orders o join plan_versions version on version.id = o.plan_version_id
        where o.buyer_id = $1 and o.key = $2"#,
        buyer as PersonId,
        key.as_str(),
    )
    .fetch_optional(&ctx.db)
    .await?)
}
