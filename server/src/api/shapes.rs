//! The words of the answers, for their description: moments, states, and what goes wrong.

use std::collections::BTreeMap;

use domain::ledger::TransactionKind;
use domain::{FailureReason, MirrorState, OrderState, PaymentState, PlanVisibility, Provider};
use serde::{Serialize, Serializer};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder, Schema};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

/// A moment as RFC 3339 has it, in UTC.
#[derive(Debug, Clone, Copy)]
pub struct Instant(pub OffsetDateTime);

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.format(&Rfc3339).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&text)
    }
}

impl PartialSchema for Instant {
    fn schema() -> RefOr<Schema> {
        let moment = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .build();
        RefOr::T(moment.into())
    }
}

impl ToSchema for Instant {}

/// Which of them may come.
macro_rules! words {
    ($($name:ident: $type:ty,)+) => {
        $(pub fn $name() -> Object {
            one_of(<$type>::ALL.iter().map(|word| word.as_str()))
        })+
    };
}

words! {
    order_state: OrderState,
    provider: Provider,
    payment_state: PaymentState,
    transaction_kind: TransactionKind,
    plan_visibility: PlanVisibility,
    mirror_state: MirrorState,
}

/// None: it did not fail.
pub fn failure() -> Object {
    let words = FailureReason::ALL.iter().map(|word| Value::from(word.as_str()));
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .enum_values(Some(words.chain([Value::Null])))
        .build()
}

fn one_of(words: impl Iterator<Item = &'static str>) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}

/// Every answer that is not the one asked for, as `application/problem+json` (RFC 9457).
#[derive(Debug, ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "it only describes what `problem` writes")]
pub struct ProblemShape {
    /// `urn:problem-type:atlas:` and the code.
    r#type: String,
    title: String,
    status: u16,
    /// For people.
    detail: String,
    error: ErrorShape,
    /// What is wrong with each field, for `invalid`.
    errors: Option<Vec<FieldShape>>,
    /// Where to confirm that it is you, for `confirm_first`.
    confirm_at: Option<String>,
    /// How it stands now, where somebody was faster.
    current: Option<Value>,
    /// What our log knows this request by.
    request_id: Option<String>,
}

/// The same, for clients of the first version.
#[derive(Debug, ToSchema)]
#[schema(as = ProblemError)]
#[expect(dead_code, reason = "it only describes what `problem` writes")]
struct ErrorShape {
    /// What to act on.
    code: String,
    message: String,
}

#[derive(Debug, ToSchema)]
#[schema(as = FieldProblem)]
#[expect(dead_code, reason = "it only describes what `problem` writes")]
struct FieldShape {
    field: String,
    detail: String,
}

/// What any route may answer instead.
pub struct Declined;

impl IntoResponses for Declined {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let problem = |description: &str| {
            let content = Content::new(Some(Ref::from_schema_name("Problem")));
            let response = ResponseBuilder::new().description(description);
            RefOr::T(response.content("application/problem+json", content).build())
        };
        BTreeMap::from([
            ("4XX".to_owned(), problem("Declined; the code says why.")),
            ("5XX".to_owned(), problem("Not done, or not known to be done.")),
        ])
    }
}
