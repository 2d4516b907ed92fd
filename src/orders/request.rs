//! Requesting credits: a manual order that an admin approves or rejects. By request goes a plan whose price is by agreement,
//! and every plan for whoever isn't on a provider's checkout.

use domain::{Credits, Currency, FieldErrors, OrderId, PersonId, PlanId, PlanVersionId, Price, Provider};

use super::{Choice, FormKey, route};
use crate::people::SignedIn;
use crate::{Context, Error, Refusal, Result, ids, memberships, plans, settings};

pub const NOTE_LENGTH_MAX: usize = 2_000;

/// What the buyer writes to the admin: up to 2,000 characters, line breaks allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note(String);

impl Note {
    pub fn parse(field: &str, text: &str) -> Result<Self, FieldErrors> {
        let note = text.replace("\r\n", "\n").trim().to_owned();
        if note.chars().count() > NOTE_LENGTH_MAX {
            return Err(FieldErrors::one(field, "Shorten the note to 2,000 characters."));
        }
        if note.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            return Err(FieldErrors::one(field, "Leave control characters out of the note."));
        }
        Ok(Self(note))
    }

    /// May be empty.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Files the request. The same form sent again is the same request.
///
/// Errors: [`Refusal::PlanNotOnSale`], [`Refusal::PlanHasAPrice`], [`Refusal::PlanNotSoldIn`], [`Refusal::FormUsedForAnotherPlan`],
/// [`Refusal::FormUsedForAnotherCurrency`].
pub async fn submit(
    ctx: &Context,
    buyer: &SignedIn,
    choice: impl Into<Choice>,
    note: Note,
    key: FormKey,
) -> Result<OrderId> {
    let choice = choice.into();
    let person = buyer;
    let buyer = person.id();
    if let Some(earlier) = find(ctx, buyer, choice, &key).await? {
        return Ok(earlier);
    }
    let offer = plans::catalogue::find(&ctx.db, choice.plan).await?.ok_or(Refusal::PlanNotOnSale)?;
    memberships::require(ctx, person, &offer.slug).await?;
    let price = match choice.price(&offer)? {
        Price::ByAgreement => None,
        Price::Fixed(price) => {
            let rules = settings::read(&ctx.db).await?.rules(&ctx.providers);
            if route::of(&ctx.providers, rules, person) != Provider::Manual {
                return Err(Refusal::PlanHasAPrice.into());
            }
            Some(price)
        }
    };
    let (bonus, bonus_days) = plans::bonus::columns(offer.bonus);
    sqlx::query!(
        "insert into credit_orders (id, buyer_id, key, plan_version_id, plan_name, credits, provider, state, note,
            created_at, changed_at, price_minor, currency, expires_after_days, bonus_credits, bonus_expires_after_days)
        values ($1, $2, $3, $4, $5, $6, 'manual', 'requested', nullif($7, ''), $8, $8, $9, $10, $11, $12, $13)
        on conflict on constraint credit_orders_key do nothing",
        OrderId::from_uuid(ids::fresh()) as OrderId,
        buyer as PersonId,
        key.as_str(),
        offer.version as PlanVersionId,
        offer.name,
        offer.credits as Credits,
        note.0,
        ctx.now(),
        price.map(|price| price.minor),
        price.map(|price| price.currency) as Option<Currency>,
        offer.expires_after_days,
        bonus as Credits,
        bonus_days,
    )
    .execute(&ctx.db)
    .await?;
    find(ctx, buyer, choice, &key).await?.ok_or_else(|| Error::broken("a new request is not there"))
}

async fn find(ctx: &Context, buyer: PersonId, choice: Choice, key: &FormKey) -> Result<Option<OrderId>> {
    let row = sqlx::query!(
        r#"select o.id as "id: OrderId", version.plan_id as "plan: PlanId", o.price_minor, o.currency as "currency: Currency"
        from credit_orders o join plan_versions version on version.id = o.plan_version_id
        where o.buyer_id = $1 and o.key = $2"#,
        buyer as PersonId,
        key.as_str(),
    )
    .fetch_optional(&ctx.db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    choice.is_still(row.plan, plans::catalogue::price(row.price_minor, row.currency))?;
    Ok(Some(row.id))
}
