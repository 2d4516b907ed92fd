//! What admins do to somebody's credits by hand: give, take, forgive a debt. Each wants a reason; above
//! [`approvals::CREDITS_ALONE_MAX`] it waits until another admin confirms it ([`confirm`]).

pub mod confirm;
pub mod list;

use domain::ledger::LotSource;
use domain::{CreditDeedId, CreditDeedKind, CreditDeedState, Credits, FieldErrors, OrderId, PersonId};
use sqlx::PgConnection;
use time::Duration;

use crate::audit::{self, About, By, Change, Origin, Reason, What};
use crate::ledger::adjust::{Adjustment, Correction, adjust};
use crate::ledger::grant::{Grant, grant};
use crate::ledger::{Key, lock_wallets};
use crate::limits::ADMIN_WRITES;
use crate::notify::{News, announce};
use crate::orders::FormKey;
use crate::people::fresh::Fresh;
use crate::people::roles::Admin;
use crate::{Context, Error, Refusal, Result, approvals, ids, limits};

const DESCRIPTION_CHARS_MAX: usize = 200;
/// What one admin gave the same person within this time counts together, so that many small deeds are no way around.
const COUNTED_TOGETHER: Duration = Duration::days(1);

/// What the owner of the wallet reads in the statement: 1 to 200 characters on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description(String);

impl Description {
    /// Nothing typed: what is usual for such a deed.
    pub fn parse(field: &str, text: &str, kind: CreditDeedKind) -> Result<Self, FieldErrors> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self(usual(kind).to_owned()));
        }
        if text.chars().count() > DESCRIPTION_CHARS_MAX || text.chars().any(char::is_control) {
            return Err(FieldErrors::one(field, "Say it on one line, in at most 200 characters."));
        }
        Ok(Self(text.to_owned()))
    }
}

const fn usual(kind: CreditDeedKind) -> &'static str {
    match kind {
        CreditDeedKind::Grant => "Given by us",
        CreditDeedKind::Take => "Corrected by us",
        CreditDeedKind::Forgive => "Debt forgiven",
        CreditDeedKind::Approve => "Approved by us",
    }
}

/// What an admin wants to do.
#[derive(Debug, Clone)]
pub struct Wish {
    pub kind: CreditDeedKind,
    pub person: PersonId,
    pub credits: Credits,
    pub description: Description,
    pub reason: Reason,
    pub key: FormKey,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    pub id: CreditDeedId,
    pub state: CreditDeedState,
}

/// A deed, as it is carried out.
struct Deed<'a> {
    id: CreditDeedId,
    kind: CreditDeedKind,
    person: PersonId,
    /// Of an approval.
    order: Option<OrderId>,
    credits: Credits,
    description: &'a str,
    by: PersonId,
}

/// Gives, takes or forgives; or, above the limit, puts it up for another admin. The same form sent again is the same deed.
///
/// Errors: [`Error::NotFound`], also for somebody who has left; [`Refusal::NotEnoughCredits`], [`Refusal::NothingOwed`];
/// [`Refusal::FormUsedBefore`]; [`Refusal::TooManyTries`].
pub async fn act(ctx: &Context, admin: &Admin, _: &Fresh, origin: &Origin, wish: &Wish) -> Result<Done> {
    let by = admin.person().id();
    limits::take(ctx, &ADMIN_WRITES, &by.to_string()).await?;
    let mut tx = ctx.db.begin().await?;
    lock_person(&mut tx, wish.person).await?;
    if let Some(done) = done_before(&mut tx, by, wish).await? {
        return Ok(done);
    }
    let in_all = lately(ctx, &mut tx, by, wish).await?.get().saturating_add(wish.credits.get());
    let takes_two = approvals::credits_take_two(Credits::new(in_all));
    let state = if takes_two { CreditDeedState::Waiting } else { CreditDeedState::Done };
    let id = CreditDeedId::from_uuid(ids::fresh());
    insert(ctx, &mut tx, id, by, wish, takes_two).await?;
    let deed = Deed {
        id,
        kind: wish.kind,
        person: wish.person,
        order: None,
        credits: wish.credits,
        description: &wish.description.0,
        by,
    };
    if wish.kind == CreditDeedKind::Approve {
        return Err(Refusal::NotBookable.into());
    }
    if !takes_two {
        carry_out(ctx, &mut tx, &deed).await?;
    }
    note(&mut tx, &admin.by(origin), &deed, state, wish.reason.as_str()).await?;
    tx.commit().await?;
    Ok(Done { id, state })
}

/// Deeds about the same person are decided one after the other.
async fn lock_person(tx: &mut PgConnection, person: PersonId) -> Result<()> {
    sqlx::query!(
        "select 1 as one from credit_accounts wallet join user_profiles person on person.id = wallet.owner_id
        where wallet.owner_id = $1 and wallet.kind = 'wallet' and person.deleted_at is null",
        person as PersonId,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Error::NotFound)?;
    lock_wallets(tx, &[person]).await
}

async fn done_before(tx: &mut PgConnection, by: PersonId, wish: &Wish) -> Result<Option<Done>> {
    let before = sqlx::query!(
        r#"select id as "id: CreditDeedId", state as "state: CreditDeedState",
            (kind, person_id, credits, asked_by) = ($2, $3::uuid, $4::bigint, $5::uuid) as "same!"
        from credit_deeds where key = $1"#,
        wish.key.as_str(),
        wish.kind as CreditDeedKind,
        wish.person as PersonId,
        wish.credits as Credits,
        by as PersonId,
    )
    .fetch_optional(tx)
    .await?;
    match before {
        Some(before) if before.same => Ok(Some(Done { id: before.id, state: before.state })),
        Some(_) => Err(Refusal::FormUsedBefore.into()),
        None => Ok(None),
    }
}

/// What the same admin did of the same kind to the same person, alone, a short while ago.
async fn lately(ctx: &Context, tx: &mut PgConnection, by: PersonId, wish: &Wish) -> Result<Credits> {
    Ok(sqlx::query_scalar!(
        r#"select coalesce(sum(credits), 0)::bigint as "credits!: Credits" from credit_deeds
        where person_id = $1 and asked_by = $2 and kind = $3 and state = 'done' and not takes_two and created_at > $4"#,
        wish.person as PersonId,
        by as PersonId,
        wish.kind as CreditDeedKind,
        ctx.now() - COUNTED_TOGETHER,
    )
    .fetch_one(tx)
    .await?)
}

async fn insert(
    ctx: &Context,
    tx: &mut PgConnection,
    id: CreditDeedId,
    by: PersonId,
    wish: &Wish,
    takes_two: bool,
) -> Result<()> {
    sqlx::query!(
        "insert into credit_deeds (id, key, kind, person_id, credits, description, reason, asked_by, takes_two, state, created_at,
            changed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, case when $9 then 'waiting' else 'done' end, $10, $10)",
        id as CreditDeedId,
        wish.key.as_str(),
        wish.kind as CreditDeedKind,
        wish.person as PersonId,
        wish.credits as Credits,
        wish.description.0,
        wish.reason.as_str(),
        by as PersonId,
        takes_two,
        ctx.now(),
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Moves the credits, under the deed's own key, and announces it to their owner.
async fn carry_out(ctx: &Context, tx: &mut PgConnection, deed: &Deed<'_>) -> Result<()> {
    let (id, person) = (deed.id, deed.person);
    let news = match deed.kind {
        CreditDeedKind::Grant => {
            grant(tx, &gift(deed)).await?;
            News::CreditsGranted { deed: id, person }
        }
        CreditDeedKind::Take => {
            adjust(tx, &adjustment(deed, Correction::Take(deed.credits))).await?;
            News::CreditsTaken { deed: id, person }
        }
        CreditDeedKind::Forgive => {
            match adjust(tx, &adjustment(deed, Correction::Forgive(deed.credits))).await {
                Err(Error::Refused(Refusal::NotEnoughCredits)) => return Err(Refusal::NothingOwed.into()),
                adjusted => adjusted?,
            };
            News::DebtForgiven { deed: id, person }
        }
        CreditDeedKind::Approve => return Err(Error::broken("a request is approved by its own verb")),
    };
    announce(ctx, tx, &[news]).await
}

impl Deed<'_> {
    fn ledger_key(&self) -> Key {
        Key::new("by-hand", self.id.to_string())
    }

    fn actor(&self) -> String {
        format!("admin:{}", self.by)
    }
}

fn adjustment(deed: &Deed<'_>, correction: Correction) -> Adjustment {
    let description = deed.description.to_owned();
    Adjustment { key: deed.ledger_key(), of: deed.person, correction, actor: deed.actor(), description }
}

/// Given credits are spent before bought ones, so that these stay refundable.
fn gift(deed: &Deed<'_>) -> Grant {
    Grant {
        transaction: None,
        key: deed.ledger_key(),
        to: deed.person,
        credits: deed.credits,
        counter: "promo",
        source: LotSource::Promo,
        expires_at: None,
        order: None,
        paid: None,
        actor: deed.actor(),
        description: deed.description.to_owned(),
    }
}

async fn note(tx: &mut PgConnection, by: &By<'_>, deed: &Deed<'_>, state: CreditDeedState, reason: &str) -> Result<()> {
    let what = match (state, deed.kind) {
        (CreditDeedState::Done, CreditDeedKind::Grant) => What::CreditsGranted,
        (CreditDeedState::Done, CreditDeedKind::Take) => What::CreditsTaken,
        (CreditDeedState::Done, CreditDeedKind::Forgive) => What::DebtForgiven,
        (CreditDeedState::Done, CreditDeedKind::Approve) => What::RequestApproved,
        (CreditDeedState::Waiting, _) => What::CreditsAsked,
        (CreditDeedState::Declined, _) => What::CreditsDeclined,
        (CreditDeedState::Withdrawn, _) => What::CreditsWithdrawn,
    };
    let change = Change::none().noted("kind", deed.kind.as_str()).noted("credits", deed.credits.get());
    let change = change.noted("description", deed.description).noted("deed", deed.id.to_string());
    let about = deed.order.map_or(About::Person(deed.person), About::Order);
    audit::record(tx, &by.did(what, about).with(change).because(reason)).await
}
