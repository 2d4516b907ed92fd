//! What admins did by hand to one person's credits, and what waits for a second admin.

use domain::{CreditDeedId, CreditDeedKind, CreditDeedState, Credits, OrderId, PersonId};
use sqlx::PgExecutor;
use time::OffsetDateTime;

use crate::Result;
use crate::people::roles::{Admin, Support};

const SHOWN_MAX: i64 = 20;
const WAITING_MAX: i64 = 100;

/// One deed.
#[derive(Debug, Clone)]
pub struct Listed {
    pub id: CreditDeedId,
    pub kind: CreditDeedKind,
    pub person: PersonId,
    pub person_email: String,
    pub order: Option<OrderId>,
    pub credits: Credits,
    pub reason: String,
    pub asked_by: String,
    pub asked_by_id: PersonId,
    pub decided_by: Option<String>,
    pub refusal: Option<String>,
    pub state: CreditDeedState,
    pub created_at: OffsetDateTime,
}

/// The newest deeds about one person.
pub async fn about(db: impl PgExecutor<'_>, _: &Support, person: PersonId) -> Result<Vec<Listed>> {
    Ok(sqlx::query_as!(
        Listed,
        r#"select deed.id as "id: CreditDeedId", deed.kind as "kind: CreditDeedKind", deed.person_id as "person: PersonId",
            person.known_as as "person_email!", deed.order_id as "order: OrderId", deed.credits as "credits: Credits",
            deed.reason, asker.known_as as "asked_by!", deed.asked_by as "asked_by_id: PersonId",
            decider.known_as as "decided_by?", deed.refusal, deed.state as "state: CreditDeedState", deed.created_at
        from credit_deeds deed
        join user_profiles person on person.id = deed.person_id
        join user_profiles asker on asker.id = deed.asked_by
        left join user_profiles decider on decider.id = deed.decided_by
        where deed.person_id = $1 order by deed.created_at desc, deed.id desc limit $2"#,
        person as PersonId,
        SHOWN_MAX,
    )
    .fetch_all(db)
    .await?)
}

/// The approval of a request that waits for a second admin, if there is one.
pub async fn approval_of(db: impl PgExecutor<'_>, _: &Admin, order: OrderId) -> Result<Option<Listed>> {
    Ok(sqlx::query_as!(
        Listed,
        r#"select deed.id as "id: CreditDeedId", deed.kind as "kind: CreditDeedKind", deed.person_id as "person: PersonId",
            person.known_as as "person_email!", deed.order_id as "order: OrderId", deed.credits as "credits: Credits",
            deed.reason, asker.known_as as "asked_by!", deed.asked_by as "asked_by_id: PersonId",
            null::text as "decided_by?", deed.refusal, deed.state as "state: CreditDeedState", deed.created_at
        from credit_deeds deed
        join user_profiles person on person.id = deed.person_id
        join user_profiles asker on asker.id = deed.asked_by
        where deed.order_id = $1 and deed.kind = 'approve' and deed.state = 'waiting'"#,
        order as OrderId,
    )
    .fetch_optional(db)
    .await?)
}

/// What waits for a second admin, the longest waiting first.
pub async fn waiting(db: impl PgExecutor<'_>, _: &Admin) -> Result<Vec<Listed>> {
    Ok(sqlx::query_as!(
        Listed,
        r#"select deed.id as "id: CreditDeedId", deed.kind as "kind: CreditDeedKind", deed.person_id as "person: PersonId",
            person.known_as as "person_email!", deed.order_id as "order: OrderId", deed.credits as "credits: Credits",
            deed.reason, asker.known_as as "asked_by!", deed.asked_by as "asked_by_id: PersonId",
            decider.known_as as "decided_by?", deed.refusal, deed.state as "state: CreditDeedState", deed.created_at
        from credit_deeds deed
        join user_profiles person on person.id = deed.person_id
        join user_profiles asker on asker.id = deed.asked_by
        left join user_profiles decider on decider.id = deed.decided_by
        where deed.state = 'waiting' order by deed.created_at, deed.id limit $1"#,
        WAITING_MAX,
    )
    .fetch_all(db)
    .await?)
}
