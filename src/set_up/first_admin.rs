//! The first admin, with whom setting up ends.

use domain::FieldErrors;

use super::whop::{Given, keys};
use super::{Installer, by, take_turn};
use crate::audit::Origin;
use crate::limits::{self, SET_UP_STEPS};
use crate::people::account::Name;
use crate::people::password::{self, NewPassword, Turn};
use crate::people::register::{self, Email};
use crate::people::{Role, SignedIn};
use crate::{Context, Error, Result};

const KEYS_FIRST: &str =
    "Finish the steps before this one, or start Atlas with PAYMENT_PROVIDER=manual to sell by request only.";

/// Who is to be the first admin.
pub struct NewAdmin {
    pub name: Name,
    pub email: Email,
    pub password: NewPassword,
}

/// Makes the first admin. From then on the code is worth nothing.
///
/// Errors: [`Error::NotFound`] when somebody else was faster; [`Error::Invalid`] for an address that is taken, and on `admin`
/// while keys or webhook are missing: once there is an admin, nobody can add them here.
pub async fn make(
    ctx: &Context,
    _: &Installer,
    origin: &Origin,
    given: Option<&Given>,
    new: NewAdmin,
) -> Result<SignedIn> {
    if let Some(given) = given
        && !keys(ctx, given).await?.are_whole()
    {
        return Err(Error::Invalid(FieldErrors::one("admin", KEYS_FIRST)));
    }
    limits::take(ctx, &SET_UP_STEPS, "all").await?;
    let hash = password::hash(&Turn::of_somebody_known()?, new.password).await?;
    let mut tx = ctx.db.begin().await?;
    take_turn(&mut tx).await?;
    sqlx::query!("delete from set_up_code").execute(&mut *tx).await?;
    let admin = register::named(&mut tx, &by(origin), new.name.as_str(), &new.email, &hash, Role::Admin).await?;
    tx.commit().await?;
    Ok(admin)
}
