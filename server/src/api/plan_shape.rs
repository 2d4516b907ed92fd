//! Plans as they are sent and read. What an admin may write as terms is decided where the form's is: `plans::Terms`.

use atlas::plans::prices::TypedPrice;
use atlas::plans::terms::Typed;
use atlas::plans::{Terms, bonus, desk};
use domain::{Credits, Currency, FieldErrors, MirrorState, Money, PlanId, PlanVisibility};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::orders::price;
use super::shapes::{self, Instant};

/// A plan in its newest version.
#[derive(Debug, Serialize, ToSchema)]
pub struct Plan {
    #[schema(value_type = uuid::Uuid)]
    id: PlanId,
    /// Its name in addresses and logs.
    slug: String,
    standing: Standing,
    /// Of its terms; whoever changes them says which one they saw.
    version: i32,
    name: String,
    description: String,
    #[schema(value_type = i64)]
    credits: Credits,
    /// In the currency's smallest unit; null: by agreement.
    #[schema(required = true)]
    price_minor: Option<i64>,
    #[schema(value_type = Option<String>, required = true)]
    currency: Option<Currency>,
    /// In further currencies.
    other_prices: Vec<PriceIn>,
    /// From the arrival of the credits to their end; null: they have none.
    #[schema(required = true)]
    expires_after_days: Option<i32>,
    /// Given on top, as a lot of their own; 0: none.
    #[schema(value_type = i64)]
    bonus_credits: Credits,
    /// From their arrival to their end; null: with the credits.
    #[schema(required = true)]
    bonus_expires_after_days: Option<i32>,
    #[schema(schema_with = shapes::plan_visibility)]
    visibility: PlanVisibility,
    /// Orders that were paid or approved.
    sold: i64,
    /// Whether anybody has ever ordered it.
    ordered: bool,
    /// Its counterpart at Whop; null: it has none, and none is to be made.
    #[schema(required = true)]
    whop: Option<Counterpart>,
}

/// A price in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceIn {
    /// In the currency's smallest unit.
    price_minor: i64,
    /// Three letters.
    currency: String,
}

impl From<Money> for PriceIn {
    fn from(price: Money) -> Self {
        Self { price_minor: price.minor, currency: price.currency.to_string() }
    }
}

impl PriceIn {
    fn typed(&self) -> TypedPrice {
        TypedPrice { price: decimal(self.price_minor, &self.currency), currency: self.currency.clone() }
    }
}

/// As a form would hold it. Of an amount without a currency, the currency is what is missing.
fn decimal(minor: i64, currency: &str) -> String {
    match currency.trim().parse::<Currency>() {
        Ok(currency) => Money::new(minor, currency).to_decimal(),
        Err(_) => minor.to_string(),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    OnSale,
    OffSale,
    Retired,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Counterpart {
    #[schema(schema_with = shapes::mirror_state)]
    state: MirrorState,
    #[schema(required = true)]
    plan_id: Option<String>,
    #[schema(required = true)]
    product_id: Option<String>,
    /// The version that it shows.
    #[schema(required = true)]
    version: Option<i32>,
    /// What differs or went wrong.
    #[schema(required = true)]
    note: Option<String>,
    #[schema(required = true)]
    checked_at: Option<Instant>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Plans {
    /// In the order of the page, retired ones last.
    pub plans: Vec<Plan>,
}

/// The terms of a plan, as they are sent.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPlan {
    /// One line of 1 to 80 characters.
    pub name: String,
    /// One line of up to 500 characters.
    #[serde(default)]
    pub description: String,
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64)]
    pub credits: i64,
    /// In the currency's smallest unit. Left out or null together with `currency`: by agreement.
    #[serde(default)]
    pub price_minor: Option<i64>,
    /// Three letters.
    #[serde(default)]
    pub currency: Option<String>,
    /// In further currencies, at most 10.
    #[serde(default)]
    pub other_prices: Vec<PriceIn>,
    /// 1 to 3650; left out or null: never.
    #[serde(default)]
    pub expires_after_days: Option<i64>,
    /// Given on top, as a lot of their own. Left out or null: none.
    #[serde(default)]
    pub bonus_credits: Option<i64>,
    /// 1 to 3650; left out or null: with the credits.
    #[serde(default)]
    pub bonus_expires_after_days: Option<i64>,
    /// `listed` (if it is left out) or `unlisted`.
    #[serde(default)]
    #[schema(schema_with = shapes::plan_visibility)]
    pub visibility: Option<String>,
}

impl NewPlan {
    /// By the rules of the form, whose fields hold text.
    pub fn terms(&self) -> Result<Terms, FieldErrors> {
        let currency = self.currency.as_deref();
        let sold = if self.price_minor.is_none() && currency.is_none() { "agreement" } else { "once" };
        let price = self.price_minor.map(|minor| decimal(minor, currency.unwrap_or_default())).unwrap_or_default();
        let other_prices: Vec<TypedPrice> = self.other_prices.iter().map(PriceIn::typed).collect();
        let number = |sent: Option<i64>| sent.map(|number| number.to_string()).unwrap_or_default();
        let typed = Typed {
            name: &self.name,
            description: &self.description,
            credits: &self.credits.to_string(),
            sold,
            price: &price,
            currency: currency.unwrap_or_default(),
            other_prices: &other_prices,
            expires_after_days: &number(self.expires_after_days),
            bonus_credits: &number(self.bonus_credits),
            bonus_expires_after_days: &number(self.bonus_expires_after_days),
            visibility: self.visibility.as_deref().unwrap_or("listed"),
        };
        Terms::parse(&typed).map_err(|errors| {
            errors.iter().fold(FieldErrors::default(), |mut named, (field, message)| {
                named.add(sent_as(field), message);
                named
            })
        })
    }

    /// The terms that stand, as they would be sent.
    pub fn of(terms: &Terms) -> Self {
        let (price_minor, currency) = price(terms.price);
        Self {
            name: terms.name.clone(),
            description: terms.description.clone(),
            credits: terms.credits.get(),
            price_minor,
            currency: currency.map(|currency| currency.to_string()),
            other_prices: terms.other_prices.iter().copied().map(PriceIn::from).collect(),
            expires_after_days: terms.expires_after_days.map(i64::from),
            bonus_credits: terms.bonus.map(|bonus| bonus.credits.get()),
            bonus_expires_after_days: terms.bonus.and_then(|bonus| bonus.expires_after_days).map(i64::from),
            visibility: Some(terms.visibility.to_string()),
        }
    }
}

/// The field that holds what the form has under this name.
fn sent_as(field: &str) -> &str {
    match field {
        "price" => "price_minor",
        field if field.starts_with("other-") => "other_prices",
        field => field,
    }
}

impl From<desk::Plan> for Plan {
    fn from(plan: desk::Plan) -> Self {
        let (price_minor, currency) = price(plan.terms.price);
        let (bonus_credits, bonus_expires_after_days) = bonus::columns(plan.terms.bonus);
        Self {
            id: plan.id,
            slug: plan.slug,
            standing: match plan.standing {
                desk::Standing::OnSale => Standing::OnSale,
                desk::Standing::OffSale => Standing::OffSale,
                desk::Standing::Retired => Standing::Retired,
            },
            version: plan.revision,
            name: plan.terms.name,
            description: plan.terms.description,
            credits: plan.terms.credits,
            price_minor,
            currency,
            other_prices: plan.terms.other_prices.into_iter().map(PriceIn::from).collect(),
            expires_after_days: plan.terms.expires_after_days,
            bonus_credits,
            bonus_expires_after_days,
            visibility: plan.terms.visibility,
            sold: plan.sold,
            ordered: plan.ordered,
            whop: plan.mirror.map(|mirror| Counterpart {
                state: mirror.state,
                plan_id: mirror.plan_id,
                product_id: mirror.product_id,
                version: mirror.version,
                note: mirror.note,
                checked_at: mirror.checked_at.map(Instant),
            }),
        }
    }
}
