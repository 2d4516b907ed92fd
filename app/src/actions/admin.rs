//! What those change who look after Atlas.

pub mod events;
pub mod notes;
pub mod payments;
pub mod people;
pub mod plan_mirror;
pub mod plan_sale;
pub mod plans;
pub mod requests;
pub mod rollout;

use atlas::{Error, Result};
use domain::FieldErrors;
use leptos::server_fn::axum::register_explicit;

pub fn register() {
    register_explicit::<requests::ApproveRequests>();
    register_explicit::<requests::RejectRequests>();
    register_explicit::<payments::StopPayments>();
    register_explicit::<payments::StartPayments>();
    register_explicit::<plans::CreatePlan>();
    register_explicit::<plans::RevisePlan>();
    register_explicit::<plan_sale::PutPlanOnSale>();
    register_explicit::<plan_sale::TakePlanOffSale>();
    register_explicit::<plan_sale::RetirePlan>();
    register_explicit::<plan_sale::DeletePlan>();
    register_explicit::<plan_sale::MovePlan>();
    register_explicit::<plan_mirror::ComparePlan>();
    register_explicit::<plan_mirror::RepairPlan>();
    register_explicit::<plan_mirror::AdoptPlan>();
    register_explicit::<events::ReplayEvent>();
    register_explicit::<events::DismissEvent>();
    register_explicit::<people::ChangeRole>();
    register_explicit::<people::EndSessionsOf>();
    register_explicit::<rollout::SetDefaultProvider>();
    register_explicit::<rollout::SetRollout>();
    register_explicit::<people::SetPaymentPath>();
    register_explicit::<people::SetPurchaseLimit>();
    register_explicit::<notes::AddNote>();
}

/// Everything that is wrong is said at once.
fn both<A, B>(one: Result<A, FieldErrors>, other: Result<B, FieldErrors>) -> Result<(A, B)> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (one, other) => {
            let mut errors = FieldErrors::default();
            one.err().into_iter().chain(other.err()).for_each(|wrong| {
                wrong.iter().for_each(|(field, message)| errors.add(field, message));
            });
            Err(Error::Invalid(errors))
        }
    }
}
