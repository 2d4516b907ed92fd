//! Letters to people whose credits an admin moved by hand. What was written for them is said; the reason is not, for it is ours.

use domain::{CreditDeedId, CreditDeedKind, CreditDeedState, Credits, PersonId, paths};

use super::buyer::{Addressed, address};
use super::letter::Letter;
use crate::{Context, Error, Result};

/// None: it was not done, or its owner has left.
pub(super) async fn letter(ctx: &Context, person: Option<PersonId>, deed: &str) -> Result<Option<Addressed>> {
    let deed: CreditDeedId = deed.parse().map_err(|_| Error::broken(format!("a mail is about the deed {deed}")))?;
    let row = sqlx::query!(
        r#"select coalesce(person.email, person.claimed_email) as "email!", deed.kind as "kind: CreditDeedKind",
            deed.credits as "credits: Credits", deed.description, wallet.posted - wallet.held as "available!: Credits",
            wallet.debt as "debt: Credits"
        from credit_deeds deed
        join user_profiles person on person.id = deed.person_id and person.deleted_at is null
        join credit_accounts wallet on wallet.owner_id = person.id and wallet.kind = 'wallet'
        where deed.id = $1 and deed.person_id = $2 and deed.state = $3"#,
        deed as CreditDeedId,
        person as Option<PersonId>,
        CreditDeedState::Done as CreditDeedState,
    )
    .fetch_optional(&ctx.db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let credits = row.credits;
    let (subject, what) = match row.kind {
        CreditDeedKind::Grant => {
            (format!("You got {credits} credits"), format!("We put {credits} credits into your wallet."))
        }
        CreditDeedKind::Take => {
            (format!("{credits} credits were taken back"), format!("We took {credits} credits out of your wallet."))
        }
        CreditDeedKind::Forgive => {
            (format!("{credits} owed credits are forgiven"), format!("You owe {credits} credits less."))
        }
        // The answer to a request is told as one.
        CreditDeedKind::Approve => return Ok(None),
    };
    let mut facts =
        vec![("In your statement", row.description), ("Your balance", format!("{} credits", row.available))];
    if row.debt > Credits::ZERO {
        facts.push(("Credits owed", row.debt.to_string()));
    }
    let mut letter = Letter::new(subject).sentence(what).facts(facts);
    if row.debt > Credits::ZERO {
        letter = letter.sentence("What comes into your wallet repays what is owed first.");
    }
    let letter = letter
        .sentence("If you don’t know what this is about, write to us.")
        .link("Your statement", address(ctx, paths::TRANSACTIONS))
        .link("Your balance", address(ctx, paths::CREDITS));
    Ok(Some((row.email, letter)))
}
