//! Demo data: the three plans, a buyer and an admin. Doing it again changes nothing.

use anyhow::{Context as _, Result};
use atlas::audit::{By, Origin, Who};
use atlas::people::Role;
use atlas::people::password::NewPassword;
use atlas::people::register::{Email, register_as};
use atlas::{Context, Error, plans};
use domain::FieldErrors;

const PEOPLE: [(&str, &str, Role); 2] = [
    ("buyer@example.com", "buyer-demo-password", Role::Buyer),
    ("admin@example.com", "admin-demo-password", Role::Admin),
];

pub async fn demo(ctx: &Context) -> Result<()> {
    plans::defaults::add_missing(ctx).await.context("adding the default plans")?;
    for (email, password, role) in PEOPLE {
        person(ctx, email, password, role).await?;
    }
    Ok(())
}

/// Makes a person; one that is there already stays as it is.
async fn person(ctx: &Context, email: &str, password: &str, role: Role) -> Result<()> {
    let readable = |errors: FieldErrors| anyhow::anyhow!("{errors:?}");
    let email = Email::parse("email", email).map_err(readable)?;
    let password = NewPassword::parse("password", password).map_err(readable)?;
    let by = By { who: Who::Operator("seed-demo"), origin: &Origin::NONE };
    match register_as(ctx, &by, email, password, role).await {
        Ok(_) | Err(Error::Invalid(_)) => Ok(()),
        Err(error) => Err(error).context("adding a demo account"),
    }
}
