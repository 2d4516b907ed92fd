//! Who somebody is here, of whom we know who they are elsewhere.

use domain::PersonId;
use sqlx::PgExecutor;

use crate::Result;

/// The person who linked this account of another place to their own: known by issuer and subject, never by an email.
pub async fn person_of(db: impl PgExecutor<'_>, issuer: &str, subject: &str) -> Result<Option<PersonId>> {
    let person = sqlx::query_scalar!(
        r#"select person_id as "person: PersonId" from identities where issuer = $1 and subject = $2"#,
        issuer,
        subject,
    );
    Ok(person.fetch_optional(db).await?)
}
