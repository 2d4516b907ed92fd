//! Words shared by every part of Atlas: ids, money, credits, states, paths. Pure: no IO, no clock;
//! compiles to wasm.

pub mod credits;
pub mod field_errors;
pub mod id;
pub mod ledger;
pub mod money;
pub mod order;
pub mod paths;
pub mod payment;
pub mod plan;
pub mod provider;
pub mod role;
#[cfg(not(target_arch = "wasm32"))]
mod sql;

pub use credits::Credits;
pub use field_errors::FieldErrors;
pub use id::{
    ApiKeyId, CreditDeedId, EventId, HoldId, OrderId, PersonId, PlanId, PlanVersionId, RefundRequestId, TransactionId,
};
pub use ledger::{CreditDeedKind, CreditDeedState};
pub use money::{Currency, Money};
pub use order::{FailureReason, OrderState};
pub use payment::{DisputeState, PaymentState, RefundRequestState, RefundState};
pub use plan::{MirrorState, PlanVisibility, Price};
pub use provider::Provider;
pub use role::Role;
