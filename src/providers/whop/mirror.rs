//! Our plans as Whop's: a product and a plan of it each. They are `hidden` there, never `visible`: what is bought at Whop
//! without a checkout of ours belongs to no order.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::Money;

use super::wire::amount::Price;
use super::wire::plan::{NewPlan, Plan, PlanChanges, PlanType, Visibility};
use super::wire::product::{NewProduct, ProductChanges};
use super::{Whop, text};
use crate::providers::ProviderError;
use crate::providers::mirror::{Counterpart, PlanCopy, PlanMirror, SeenPlan};

/// Under this name things at Whop say which counterpart they are.
const COPY: &str = "atlas_copy";
/// Those of an earlier try are among the newest so many pages.
const SEARCH_PAGES_MAX: u32 = 5;

impl Whop {
    /// The product of this counterpart, made once.
    async fn product_of(&self, copy: &PlanCopy, key: &str) -> Result<String, ProviderError> {
        let mut pages = self.client.products().at_most(SEARCH_PAGES_MAX);
        while let Some(page) = pages.next().await? {
            let earlier = page.into_iter().find(|product| product.metadata.get(COPY) == Some(key));
            if let Some(product) = earlier {
                return Ok(product.id);
            }
        }
        let new = NewProduct {
            account_id: self.client.company_id(),
            title: &copy.name,
            headline: None,
            description: Some(&copy.description).filter(|words| !words.is_empty()).map(String::as_str),
            visibility: Visibility::Hidden,
            metadata: BTreeMap::from([(COPY, key.to_owned())]),
        };
        let made = self.client.create_product(&new, &format!("product-{key}")).await?;
        plain_id(made.id)
    }
}

#[async_trait]
impl PlanMirror for Whop {
    fn title(&self, name: &str) -> String {
        text::short_title(name)
    }

    async fn make(&self, copy: &PlanCopy, price: Money, key: &str) -> Result<Counterpart, ProviderError> {
        let product_id = self.product_of(copy, key).await?;
        // Idempotency keys are forgotten after a day; what is there is not.
        let mut pages = self.client.plans(Some(&product_id)).at_most(SEARCH_PAGES_MAX);
        while let Some(page) = pages.next().await? {
            let earlier = page.into_iter().find(|plan| plan.metadata.get(COPY) == Some(key));
            if let Some(plan) = earlier {
                return Ok(Counterpart { plan_id: plan.id, product_id: Some(product_id) });
            }
        }
        let new = NewPlan {
            account_id: self.client.company_id(),
            product_id: &product_id,
            title: &self.title(&copy.name),
            description: Some(&copy.description).filter(|words| !words.is_empty()).map(String::as_str),
            plan_type: PlanType::OneTime,
            initial_price: Price(price),
            currency: price.currency.as_str(),
            visibility: Visibility::Hidden,
            unlimited_stock: true,
            metadata: BTreeMap::from([(COPY, key.to_owned())]),
            internal_notes: Some("Kept in step by Atlas Credits. Change it there."),
        };
        let made = self.client.create_plan(&new, &format!("plan-{key}")).await?;
        Ok(Counterpart { plan_id: plain_id(made.id)?, product_id: Some(product_id) })
    }

    async fn change(&self, at: &Counterpart, copy: &PlanCopy) -> Result<SeenPlan, ProviderError> {
        let visibility = || Some(if copy.on_sale { Visibility::Hidden } else { Visibility::Archived });
        if let Some(product_id) = &at.product_id {
            let changes = ProductChanges {
                title: Some(&copy.name),
                description: Some(&copy.description),
                visibility: visibility(),
                ..ProductChanges::default()
            };
            match self.client.update_product(product_id, &changes).await.map_err(ProviderError::from) {
                // Somebody took the product away there; what is sold is the plan.
                Ok(_) | Err(ProviderError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        let title = self.title(&copy.name);
        let changes = PlanChanges {
            title: Some(&title),
            description: Some(&copy.description),
            initial_price: copy.price.map(Price),
            visibility: visibility(),
            ..PlanChanges::default()
        };
        seen(self.client.update_plan(&at.plan_id, &changes).await?)
    }

    async fn look(&self, plan_id: &str) -> Result<SeenPlan, ProviderError> {
        seen(self.client.plan(plan_id).await?)
    }
}

fn plain_id(id: String) -> Result<String, ProviderError> {
    if text::is_id(&id) { Ok(id) } else { Err(ProviderError::Unreadable("what was made has no plain id".to_owned())) }
}

fn seen(plan: Plan) -> Result<SeenPlan, ProviderError> {
    Ok(SeenPlan {
        plan_id: plain_id(plan.id)?,
        title: plan.title.as_deref().and_then(text::clean).unwrap_or_default(),
        price: plan.initial_price.and_then(|amount| amount.money(plan.currency.as_deref()).ok()),
        paid_once: plan.plan_type == Some(PlanType::OneTime),
        on_sale: plan.visibility != Some(Visibility::Archived),
        listed: plan.visibility == Some(Visibility::Visible),
    })
}
