//! Taking a key out of use.

use domain::ApiKeyId;

use crate::audit::{self, About, By, What};
use crate::{Context, Error, Result};

/// Bites on the next request. Revoking again changes nothing.
///
/// Errors: [`Error::NotFound`].
pub async fn revoke(ctx: &Context, by: &By<'_>, id: ApiKeyId) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    let was = sqlx::query!("select revoked_at from api_keys where id = $1 for no key update", id as ApiKeyId)
        .fetch_optional(&mut *tx)
        .await?;
    let Some(was) = was else { return Err(Error::NotFound) };
    if was.revoked_at.is_none() {
        sqlx::query!("update api_keys set revoked_at = $2 where id = $1", id as ApiKeyId, ctx.now())
            .execute(&mut *tx)
            .await?;
        audit::record(&mut tx, &by.did(What::KeyRevoked, About::Key(id))).await?;
    }
    Ok(tx.commit().await?)
}
