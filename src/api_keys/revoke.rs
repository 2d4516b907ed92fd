//! Taking a key out of use.

use domain::ApiKeyId;

use crate::{Context, Error, Result};

/// Bites on the next request. Revoking again changes nothing.
///
/// Errors: [`Error::NotFound`].
pub async fn revoke(ctx: &Context, id: ApiKeyId) -> Result<()> {
    let known = sqlx::query!(
        "update api_keys set revoked_at = coalesce(revoked_at, $2) where id = $1",
        id as ApiKeyId,
        ctx.now(),
    )
    .execute(&ctx.db)
    .await?;
    if known.rows_affected() == 0 { Err(Error::NotFound) } else { Ok(()) }
}
