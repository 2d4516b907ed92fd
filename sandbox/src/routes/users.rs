//! `/users`: people, and whether they have access to something.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use serde_json::json;

use crate::api::error::ApiError;
use crate::api::ok;
use crate::api::page::page;
use crate::api::query::Query;
use crate::memberships::Standing;
use crate::people::{Person, view};
use crate::sandbox::Sandbox;
use crate::world::World;

pub fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/users", get(list))
        .route("/users/{id}", get(retrieve))
        .route("/users/{id}/access/{resource_id}", get(access))
}

/// By id, by name, or `me`, who is the owner of the key.
fn found<'a>(world: &'a World, id: &str) -> Result<&'a Person, ApiError> {
    let by_name = |person: &&Person| if id == "me" { person.is_owner } else { person.username == id };
    world.people.get(id).or_else(|| world.people.newest().find(by_name)).ok_or(ApiError::not_found("User"))
}

async fn list(State(sandbox): State<Sandbox>, query: Query) -> Result<Response, ApiError> {
    let text = query.get("query").unwrap_or_default().to_lowercase();
    let keep = |person: &Person| person.username.contains(&text);
    sandbox.read(|world| page(&query, &world.people, keep, |person| view(world, person)).map(|page| ok(&page)))
}

async fn retrieve(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Result<Response, ApiError> {
    sandbox.read(|world| Ok(ok(&view(world, found(world, &id)?))))
}

async fn access(
    State(sandbox): State<Sandbox>,
    Path((id, resource)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    sandbox.read(|world| {
        let person = found(world, &id)?;
        let account = resource == world.settings.company_id;
        if !account && world.products.get(&resource).is_none() {
            return Err(ApiError::not_found("Resource"));
        }
        let holds = world.memberships.newest().any(|membership| {
            membership.person_id == person.id
                && (account || membership.product_id == resource)
                && membership.status != Standing::Canceled
        });
        let level = match (person.is_owner, holds) {
            (true, _) => "admin",
            (false, true) => "customer",
            (false, false) => "no_access",
        };
        Ok(ok(&json!({ "has_access": level != "no_access", "access_level": level })))
    })
}
