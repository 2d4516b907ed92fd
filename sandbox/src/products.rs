//! Products: what plans belong to. A purchase of a product's plan gives its buyer a membership.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::error::ApiError;
use crate::clock::Moment;
use crate::people::Metadata;
use crate::webhooks::emit;
use crate::world::{Record, World};

/// A product of the account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Product {
    pub id: String,
    pub title: String,
    pub description: Option<String>,
    pub headline: Option<String>,
    pub route: String,
    pub visibility: String,
    pub metadata: Metadata,
    pub deleted: bool,
    pub created_at: Moment,
    pub updated_at: Moment,
}

impl Record for Product {
    const KIND: &'static str = "product";

    fn id(&self) -> &str {
        &self.id
    }

    fn created_at(&self) -> Moment {
        self.created_at
    }

    fn is_deleted(&self) -> bool {
        self.deleted
    }
}

/// What a request may say about a product.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct ProductInput {
    pub title: Option<String>,
    pub description: Option<String>,
    pub headline: Option<String>,
    pub route: Option<String>,
    pub visibility: Option<String>,
    pub metadata: Option<Metadata>,
}

/// Makes a product; only the title is required.
pub fn create(world: &mut World, input: ProductInput) -> Result<Product, ApiError> {
    let title = input.title.filter(|title| !title.trim().is_empty()).ok_or(ApiError::bad("title is required"))?;
    let id = world.ids.fresh("prod_");
    let now = Moment::now();
    let product = Product {
        route: input.route.unwrap_or_else(|| slug(&title, &id)),
        id,
        title,
        description: input.description,
        headline: input.headline,
        visibility: input.visibility.unwrap_or_else(|| "visible".to_owned()),
        metadata: input.metadata.unwrap_or_default(),
        deleted: false,
        created_at: now,
        updated_at: now,
    };
    world.products.put(product.clone());
    emit::event(world, "product.created", &view(world, &product), None);
    Ok(product)
}

/// Changes what the request names.
pub fn update(world: &mut World, id: &str, input: ProductInput) -> Result<Product, ApiError> {
    let product = world.products.edit(id).ok_or(ApiError::not_found("Product"))?;
    product.title = input.title.unwrap_or_else(|| product.title.clone());
    product.description = input.description.or_else(|| product.description.take());
    product.headline = input.headline.or_else(|| product.headline.take());
    product.visibility = input.visibility.unwrap_or_else(|| product.visibility.clone());
    product.metadata = input.metadata.unwrap_or_else(|| product.metadata.clone());
    product.updated_at = Moment::now();
    let product = product.clone();
    emit::event(world, "product.updated", &view(world, &product), None);
    Ok(product)
}

/// Takes a product away; its memberships stay.
pub fn retire(world: &mut World, id: &str) -> Result<(), ApiError> {
    let product = world.products.edit(id).ok_or(ApiError::not_found("Product"))?;
    (product.deleted, product.updated_at) = (true, Moment::now());
    let product = product.clone();
    emit::event(world, "product.deleted", &view(world, &product), None);
    Ok(())
}

/// The product as the API shows it.
pub fn view(world: &World, product: &Product) -> Value {
    json!({
        "id": product.id,
        "account": { "id": world.settings.company_id, "title": world.settings.company_title },
        "average_review_rating": 0,
        "created_at": product.created_at,
        "custom_cta": null,
        "custom_cta_url": null,
        "custom_statement_descriptor": null,
        "default_plan": null,
        "description": product.description,
        "external_identifier": null,
        "gallery_images": [],
        "global_affiliate_percentage": null,
        "global_affiliate_status": "disabled",
        "headline": product.headline,
        "labels": [],
        "marketplace_status": "not_available",
        "member_affiliate_percentage": null,
        "member_affiliate_status": "disabled",
        "member_count": world.memberships.newest().filter(|it| it.product_id == product.id).count(),
        "metadata": product.metadata,
        "owner_user": null,
        "product_tax_code": null,
        "published_reviews_count": 0,
        "route": product.route,
        "title": product.title,
        "updated_at": product.updated_at,
        "variant_attributes": null,
        "variants": null,
        "verified": false,
        "visibility": product.visibility,
    })
}

fn slug(title: &str, id: &str) -> String {
    let words = title.to_lowercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
    let words = words.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    if words.is_empty() { id.to_lowercase() } else { words }
}
