//! What is said beside the page: its status and headers, or where to go instead.

use axum::http::{HeaderValue, StatusCode, header};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

/// Answers with 303 to a path of ours, or to the provider's checkout.
pub fn see_other(location: &str) {
    if let Some(response) = use_context::<ResponseOptions>()
        && let Ok(location) = HeaderValue::from_str(location)
    {
        response.set_status(StatusCode::SEE_OTHER);
        response.insert_header(header::LOCATION, location);
    }
}

/// Sets the status of the page being drawn.
pub fn set_status(status: StatusCode) {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(status);
    }
}

/// Sets a header of the response being drawn.
pub fn set_header(name: header::HeaderName, value: &str) {
    if let Some(response) = use_context::<ResponseOptions>()
        && let Ok(value) = HeaderValue::from_str(value)
    {
        response.insert_header(name, value);
    }
}

/// Adds a header to those of the same name.
pub(super) fn add_header(name: header::HeaderName, value: &str) {
    if let Some(response) = use_context::<ResponseOptions>()
        && let Ok(value) = HeaderValue::from_str(value)
    {
        response.append_header(name, value);
    }
}
