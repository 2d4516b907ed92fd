//! `GET /api/openapi.json`: what there is to ask for in JSON, and what is answered (`OpenAPI` 3.1). It is made from the handlers
//! and the types that they read and write; `docs/openapi.json` is the same, to be read without a server.

use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};
use http::header;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::shapes::ProblemShape;
use super::{admin_orders, answer_order, change_plan, orders, plans, spend};
use crate::whop_sign_in;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Atlas Credits",
        description = "Credits, the orders that bring them, and the plans that are ordered. docs/api.md says how it is meant.",
        version = "1"
    ),
    paths(
        orders::list,
        orders::create,
        admin_orders::list,
        admin_orders::open,
        answer_order::patch,
        plans::list,
        plans::make,
        plans::open,
        change_plan::patch,
        plans::delete,
        spend::spend,
        whop_sign_in::verify,
        whop_sign_in::refresh,
    ),
    components(schemas(ProblemShape)),
    modifiers(&Ways)
)]
struct Description;

/// How whoever asks is known.
struct Ways;

impl Modify for Ways {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        description.info.license = None;
        let session = ApiKeyValue::with_description(
            "sid",
            "The session of whoever is signed in; over https it is called __Host-sid. What changes something is refused from \
             other sites (Sec-Fetch-Site, Origin).",
        );
        let key =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An API key: cred_live_…")).build();
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(session)));
        components.add_security_scheme("key", SecurityScheme::Http(key));
    }
}

/// The same text each time.
pub static TEXT: LazyLock<String> =
    LazyLock::new(|| Description::openapi().to_pretty_json().unwrap_or_default() + "\n");

pub async fn serve() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}
