//! How our words travel to and from PostgreSQL. It stands here because only the crate that owns a type may say so.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Type};
use uuid::Uuid;

use crate::ledger::{CreditDeedKind, CreditDeedState, LotSource, TransactionKind};
use crate::{
    ApiKeyId, CreditDeedId, Credits, Currency, DisputeState, EventId, FailureReason, HoldId, MirrorState, OrderId,
    OrderState, PaymentState, PersonId, PlanId, PlanVersionId, PlanVisibility, Provider, RefundRequestId,
    RefundRequestState, RefundState, Role, TransactionId,
};

/// A type that is stored as another one.
macro_rules! stored_as {
    ($inner:ty: $($name:ident { $wrap:expr, $unwrap:expr })+) => {$(
        impl Type<Postgres> for $name {
            fn type_info() -> PgTypeInfo {
                <$inner as Type<Postgres>>::type_info()
            }

            fn compatible(info: &PgTypeInfo) -> bool {
                <$inner as Type<Postgres>>::compatible(info)
            }
        }

        impl PgHasArrayType for $name {
            fn array_type_info() -> PgTypeInfo {
                <$inner as PgHasArrayType>::array_type_info()
            }
        }

        impl Encode<'_, Postgres> for $name {
            fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
                let unwrap: fn(Self) -> $inner = $unwrap;
                <$inner as Encode<Postgres>>::encode_by_ref(&unwrap(*self), buffer)
            }
        }

        impl Decode<'_, Postgres> for $name {
            fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
                let wrap: fn($inner) -> Result<Self, BoxDynError> = $wrap;
                wrap(<$inner as Decode<Postgres>>::decode(value)?)
            }
        }
    )+};
}

macro_rules! stored_as_uuid {
    ($($name:ident)+) => {
        stored_as! { Uuid: $($name { |id| Ok($name::from_uuid(id)), $name::uuid })+ }
    };
}

macro_rules! stored_as_word {
    ($($name:ident)+) => {
        stored_as! { String: $($name { |word| Ok(word.parse()?), |value| value.as_str().to_owned() })+ }
    };
}

stored_as_uuid! { PersonId PlanId PlanVersionId OrderId TransactionId EventId HoldId ApiKeyId RefundRequestId CreditDeedId }
stored_as! { i64: Credits { |credits| Ok(Credits::new(credits)), Credits::get } }
stored_as! { String: Currency { |code| Ok(code.parse()?), |currency| currency.as_str().to_owned() } }
stored_as_word! { OrderState FailureReason PaymentState RefundState DisputeState Provider Role TransactionKind LotSource PlanVisibility
MirrorState RefundRequestState CreditDeedKind CreditDeedState }
