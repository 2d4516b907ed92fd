//! Giving people memberships, and ending them.

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;

use crate::api::body::Body;
use crate::api::error::ApiError;
use crate::api::ok;
use crate::memberships::{self, GivenInput, Standing};
use crate::sandbox::Sandbox;

pub async fn give(State(sandbox): State<Sandbox>, Body(input): Body<GivenInput>) -> Response {
    ok(&sandbox.change(|world| memberships::give(world, input)))
}

#[derive(Deserialize)]
pub struct StatusInput {
    status: Standing,
}

pub async fn set_status(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Body(input): Body<StatusInput>,
) -> Result<Response, ApiError> {
    sandbox.change(|world| memberships::set_standing(world, &id, input.status).map(|view| ok(&view)))
}
