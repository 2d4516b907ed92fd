//! `/products`: list, create, read, update, delete.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;

use super::Deleted;
use crate::api::body::Body;
use crate::api::error::ApiError;
use crate::api::ok;
use crate::api::page::page;
use crate::api::query::Query;
use crate::products::{self, Product, ProductInput, view};
use crate::sandbox::Sandbox;

pub fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/products", get(list).post(create))
        .route("/products/{id}", get(retrieve).patch(update).delete(delete))
}

async fn list(State(sandbox): State<Sandbox>, query: Query) -> Result<Response, ApiError> {
    query.check_account(sandbox.settings(), false)?;
    let wanted = query.get("query").unwrap_or_default().to_lowercase();
    let keep = |product: &Product| {
        query.allows("visibilities", &product.visibility) && product.title.to_lowercase().contains(&wanted)
    };
    sandbox.read(|world| page(&query, &world.products, keep, |product| view(world, product)).map(|page| ok(&page)))
}

async fn create(State(sandbox): State<Sandbox>, Body(input): Body<ProductInput>) -> Result<Response, ApiError> {
    sandbox.change(|world| products::create(world, input).map(|product| ok(&view(world, &product))))
}

async fn retrieve(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Result<Response, ApiError> {
    sandbox.read(|world| {
        world.products.get(&id).map(|product| ok(&view(world, product))).ok_or(ApiError::not_found("Product"))
    })
}

async fn update(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Body(input): Body<ProductInput>,
) -> Result<Response, ApiError> {
    sandbox.change(|world| products::update(world, &id, input).map(|product| ok(&view(world, &product))))
}

async fn delete(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Result<Response, ApiError> {
    sandbox.change(|world| products::retire(world, &id).map(|()| ok(&Deleted::new(&id))))
}
