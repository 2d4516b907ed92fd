//! `/oauth/userinfo`: who the bearer of an access token acts for.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::Lie;
use super::error::Refused;
use crate::api;
use crate::clock::Moment;
use crate::sandbox::Sandbox;
use crate::world::World;

pub async fn show(State(sandbox): State<Sandbox>, headers: HeaderMap) -> Response {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    sandbox.change(|world| {
        world.asked.userinfo += 1;
        match person_of(world, bearer) {
            Some(answer) => answer,
            None => Refused("invalid_token", "The access token is unknown or too old").into_response(),
        }
    })
}

/// Access tokens can't be taken back early, so a grant's end does not matter (Whop documentation, OAuth).
fn person_of(world: &World, bearer: &str) -> Option<Response> {
    let token = world.tokens.get(bearer).filter(|token| !token.refreshes)?;
    if Moment::now().since(token.created_at).as_secs() >= world.settings.access_seconds {
        return None;
    }
    let grant = world.grants.get(&token.grant_id)?;
    let person = world.people.get(&grant.person_id)?;
    let lies = |lie| world.faults.oauth_lies.contains(&lie);
    let has = |wanted| grant.scope.split(' ').any(|scope| scope == wanted);
    let mut shown = json!({ "sub": if lies(Lie::Subject) { "user_SomebodyElse01" } else { &person.id } });
    if has("profile") {
        shown["name"] = json!(person.name);
        shown["preferred_username"] = json!(person.username);
        shown["picture"] = json!(format!("{}/icons/person.svg", world.settings.public_url));
    }
    if let Some(email) = person.email.as_ref().filter(|_| has("email") && !lies(Lie::NoEmail)) {
        shown["email"] = json!(email);
        shown["email_verified"] = json!(!lies(Lie::UnverifiedEmail));
    }
    Some(api::ok(&shown))
}
