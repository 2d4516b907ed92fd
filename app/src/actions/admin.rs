//! What those change who look after Atlas.

pub mod credits;
pub mod events;
pub mod jobs;
pub mod notes;
pub mod payments;
pub mod people;
pub mod plan_mirror;
pub mod plan_sale;
pub mod plans;
pub mod refunds;
pub mod requests;
pub mod rollout;
pub mod second_word;
pub mod viewing;

use leptos::server_fn::axum::register_explicit;

pub fn register() {
    register_explicit::<requests::ApproveRequests>();
    register_explicit::<requests::RejectRequests>();
    register_explicit::<credits::GrantCredits>();
    register_explicit::<credits::TakeCredits>();
    register_explicit::<credits::ForgiveDebt>();
    register_explicit::<credits::ConfirmCredits>();
    register_explicit::<credits::DeclineCredits>();
    register_explicit::<credits::WithdrawCredits>();
    register_explicit::<refunds::Refund>();
    register_explicit::<refunds::WithdrawRefund>();
    register_explicit::<refunds::ConfirmRefund>();
    register_explicit::<refunds::DeclineRefund>();
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
    register_explicit::<events::LinkEvent>();
    register_explicit::<people::ChangeRole>();
    register_explicit::<people::EndSessionsOf>();
    register_explicit::<rollout::SetDefaultProvider>();
    register_explicit::<rollout::SetRollout>();
    register_explicit::<people::SetPaymentPath>();
    register_explicit::<people::SetPurchaseLimit>();
    register_explicit::<viewing::StartViewing>();
    register_explicit::<viewing::StopViewing>();
    register_explicit::<notes::AddNote>();
    register_explicit::<jobs::RetryJob>();
}
