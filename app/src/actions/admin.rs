//! What those change who look after Atlas.

pub mod events;
pub mod payments;
pub mod people;
pub mod requests;

use leptos::server_fn::axum::register_explicit;

pub fn register() {
    register_explicit::<requests::ApproveRequests>();
    register_explicit::<requests::RejectRequests>();
    register_explicit::<payments::StopPayments>();
    register_explicit::<payments::StartPayments>();
    register_explicit::<events::ReplayEvent>();
    register_explicit::<events::DismissEvent>();
    register_explicit::<people::ChangeRole>();
    register_explicit::<people::EndSessionsOf>();
}
