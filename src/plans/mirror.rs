//! Each plan's counterpart at the provider: made when it is first put on sale, changed with each version, archived when it goes
//! off sale. What is changed here is saved here, and gets there by a job that is tried until it does.

use domain::{Currency, MirrorState, Money, PlanId, Price};
use sqlx::PgConnection;

use super::catalogue::price;
use super::drift::differences;
use crate::audit::{self, About, Origin, What};
use crate::jobs::enqueue_in_turn;
use crate::jobs::kinds::MirrorPlan;
use crate::people::roles::Admin;
use crate::providers::ProviderError;
use crate::providers::mirror::{Counterpart, PlanCopy, PlanMirror, SeenPlan};
use crate::{Context, Error, Refusal, Result};

const NOTE_CHARS_MAX: usize = 1_000;

/// Has the counterpart brought in step after this transaction, where there is one or should be one.
pub(super) async fn wish(ctx: &Context, tx: &mut PgConnection, plan: PlanId) -> Result<()> {
    let wished = sqlx::query!(
        "insert into whop_plans (plan_id, state, changed_at)
        select plan.id, 'waiting', $2 from plans plan
        where plan.id = $1 and (exists (select from whop_plans mirror where mirror.plan_id = plan.id)
            or plan.on_sale and (select version.price_minor is not null from plan_versions version
                where version.plan_id = plan.id order by version.version desc limit 1))
        on conflict (plan_id) do update set state = 'waiting', note = null, changed_at = excluded.changed_at",
        plan as PlanId,
        ctx.now(),
    )
    .execute(&mut *tx)
    .await?;
    if wished.rows_affected() == 0 {
        return Ok(());
    }
    enqueue_in_turn(tx, &MirrorPlan { plan }, &plan.to_string()).await
}

/// Has it brought in step again, whatever it says there.
///
/// Errors: [`Error::NotFound`], also where there is none and none is to be.
pub async fn repair(ctx: &Context, admin: &Admin, origin: &Origin, plan: PlanId) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    wish(ctx, &mut tx, plan).await?;
    let exists = sqlx::query_scalar!(
        r#"select exists (select from whop_plans where plan_id = $1) as "exists!""#,
        plan as PlanId,
    )
    .fetch_one(&mut *tx)
    .await?;
    if !exists {
        return Err(Error::NotFound);
    }
    let (by, about) = (admin.by(origin), plan.to_string());
    audit::record(&mut tx, &by.did(What::PlanRepaired, About::Thing { kind: "plan", id: &about })).await?;
    Ok(tx.commit().await?)
}

/// What the counterpart is to say, and what we know of it.
pub(super) struct Wanted {
    pub copy: PlanCopy,
    pub version: i32,
    /// Whether it is on sale here, with a price or without.
    on_sale: bool,
    pub at: Option<Counterpart>,
    copies: i32,
    begun_from: Option<i32>,
}

/// None: there is none, and none is to be.
pub(super) async fn wanted(ctx: &Context, plan: PlanId) -> Result<Option<Wanted>> {
    let row = sqlx::query!(
        r#"select newest.version, newest.name, newest.description, newest.price_minor, newest.currency as "currency: Currency",
            plan.on_sale, mirror.whop_plan_id, mirror.product_id, mirror.copies, mirror.begun_from
        from whop_plans mirror join plans plan on plan.id = mirror.plan_id
        join lateral (
            select version.version, version.name, version.description, version.price_minor, version.currency
            from plan_versions version where version.plan_id = plan.id order by version.version desc limit 1
        ) newest on true
        where mirror.plan_id = $1"#,
        plan as PlanId,
    )
    .fetch_optional(&ctx.db)
    .await?;
    Ok(row.map(|row| {
        let price = money(row.price_minor, row.currency);
        Wanted {
            copy: PlanCopy {
                plan,
                name: row.name,
                description: row.description,
                price,
                on_sale: row.on_sale && price.is_some(),
            },
            version: row.version,
            on_sale: row.on_sale,
            at: row.whop_plan_id.map(|plan_id| Counterpart { plan_id, product_id: row.product_id }),
            copies: row.copies,
            begun_from: row.begun_from,
        }
    }))
}

fn money(minor: Option<i64>, currency: Option<Currency>) -> Option<Money> {
    match price(minor, currency) {
        Price::Fixed(money) => Some(money),
        Price::ByAgreement => None,
    }
}

/// Brings it in step; the job's work, and done one plan after the other.
///
/// Errors: [`Error::Unavailable`] while the provider doesn't answer: to be tried again.
pub async fn carry_out(ctx: &Context, plan: PlanId) -> Result<()> {
    let Some(mut wanted) = wanted(ctx, plan).await? else { return Ok(()) };
    let Some(mirror) = ctx.providers.plan_mirror() else {
        let note = "Whop is not set up here. It is mirrored once it is.";
        return note_down(ctx, plan, MirrorState::Waiting, note).await;
    };
    match bring(ctx, mirror, &mut wanted).await {
        Ok(Some(seen)) => stand(ctx, &wanted, &differences(mirror, &wanted.copy, &seen)).await,
        Ok(None) => forget(ctx, plan).await,
        Err(Failed::Ours(error)) => Err(error),
        Err(Failed::Theirs(error @ ProviderError::Unreachable(_))) => {
            let note = "Whop does not answer just now. It is saved here, and mirrored as soon as Whop answers.";
            note_down(ctx, plan, MirrorState::Waiting, note).await?;
            Err(Error::unavailable(error))
        }
        Err(Failed::Theirs(error)) => {
            tracing::error!(plan.id = %plan, %error, "a plan can't be mirrored");
            note_down(ctx, plan, MirrorState::Failed, &error.to_string()).await
        }
    }
}

/// Who failed: the database, or the provider.
enum Failed {
    Ours(Error),
    Theirs(ProviderError),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<ProviderError> for Failed {
    fn from(error: ProviderError) -> Self {
        Self::Theirs(error)
    }
}

/// None: there is none, and none is to be.
async fn bring(ctx: &Context, mirror: &dyn PlanMirror, wanted: &mut Wanted) -> Result<Option<SeenPlan>, Failed> {
    if let Some(at) = wanted.at.clone() {
        match mirror.look(&at.plan_id).await {
            Ok(seen) if keeps_currency(&seen, &wanted.copy) => {
                return Ok(Some(mirror.change(&at, &wanted.copy).await?));
            }
            // A plan's currency can't be changed there: it makes room for another.
            Ok(_) => drop(mirror.change(&at, &PlanCopy { price: None, on_sale: false, ..wanted.copy.clone() }).await?),
            Err(ProviderError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
        let_go(ctx, wanted).await?;
    }
    if wanted.begun_from.is_none() && !wanted.copy.on_sale {
        return Ok(None);
    }
    let at = make(ctx, mirror, wanted).await?;
    Ok(Some(mirror.change(&at, &wanted.copy).await?))
}

fn keeps_currency(seen: &SeenPlan, copy: &PlanCopy) -> bool {
    copy.price.is_none_or(|price| seen.price.is_none_or(|there| there.currency == price.currency))
}

/// Makes it from the version that it was begun from, so that every try sends the same.
async fn make(ctx: &Context, mirror: &dyn PlanMirror, wanted: &mut Wanted) -> Result<Counterpart, Failed> {
    let plan = wanted.copy.plan;
    let from = match wanted.begun_from {
        Some(version) => version,
        None => begin(ctx, wanted).await?,
    };
    let (copy, price) = as_of(ctx, plan, from).await?;
    let at = mirror.make(&copy, price, &format!("{plan}-{}", wanted.copies)).await?;
    let made = sqlx::query!(
        "update whop_plans set whop_plan_id = $2, product_id = $3, adopted_at = null, begun_from = null where plan_id = $1",
        plan as PlanId,
        at.plan_id,
        at.product_id,
    );
    made.execute(&ctx.db).await.map_err(Error::from)?;
    wanted.begun_from = None;
    wanted.at = Some(at.clone());
    Ok(at)
}

async fn begin(ctx: &Context, wanted: &mut Wanted) -> Result<i32> {
    let begun = sqlx::query_scalar!(
        "update whop_plans set copies = copies + 1, begun_from = $2 where plan_id = $1 and whop_plan_id is null and begun_from is null
        returning copies",
        wanted.copy.plan as PlanId,
        wanted.version,
    )
    .fetch_optional(&ctx.db)
    .await?;
    wanted.copies = begun.ok_or_else(|| Error::unavailable("it was begun or adopted meanwhile"))?;
    wanted.begun_from = Some(wanted.version);
    Ok(wanted.version)
}

/// What a version of the plan said. Only one with a price is ever begun.
async fn as_of(ctx: &Context, plan: PlanId, version: i32) -> Result<(PlanCopy, Money)> {
    let row = sqlx::query!(
        r#"select name, description, price_minor, currency as "currency: Currency" from plan_versions
        where plan_id = $1 and version = $2"#,
        plan as PlanId,
        version,
    )
    .fetch_one(&ctx.db)
    .await?;
    let price = money(row.price_minor, row.currency).ok_or_else(|| Error::broken("a counterpart without a price"))?;
    let copy = PlanCopy { plan, name: row.name, description: row.description, price: Some(price), on_sale: true };
    Ok((copy, price))
}

async fn let_go(ctx: &Context, wanted: &mut Wanted) -> Result<()> {
    let plan = wanted.copy.plan;
    sqlx::query!("update whop_plans set whop_plan_id = null, product_id = null where plan_id = $1", plan as PlanId)
        .execute(&ctx.db)
        .await?;
    wanted.at = None;
    Ok(())
}

async fn forget(ctx: &Context, plan: PlanId) -> Result<()> {
    sqlx::query!("update whop_plans set state = 'in_step', note = null where plan_id = $1", plan as PlanId)
        .execute(&ctx.db)
        .await?;
    Ok(())
}

/// Writes down how it stands there. What was changed here since then still waits: its own job follows.
pub(super) async fn stand(ctx: &Context, wanted: &Wanted, differences: &[String]) -> Result<()> {
    let (state, note) = match differences {
        [] => (MirrorState::InStep, None),
        some => (MirrorState::Drifted, Some(cut(&some.join(" ")))),
    };
    sqlx::query!(
        "update whop_plans mirror set state = $2, note = $3, version = case when $2 = 'in_step' then $4 else mirror.version end,
            checked_at = $5
        from plans plan where mirror.plan_id = $1 and plan.id = mirror.plan_id and plan.on_sale = $6
            and $4 = (select max(version.version) from plan_versions version where version.plan_id = plan.id)",
        wanted.copy.plan as PlanId,
        state as MirrorState,
        note,
        wanted.version,
        ctx.now(),
        wanted.on_sale,
    )
    .execute(&ctx.db)
    .await?;
    Ok(())
}

pub(super) async fn note_down(ctx: &Context, plan: PlanId, state: MirrorState, note: &str) -> Result<()> {
    sqlx::query!(
        "update whop_plans set state = $2, note = $3 where plan_id = $1",
        plan as PlanId,
        state as MirrorState,
        cut(note),
    )
    .execute(&ctx.db)
    .await?;
    Ok(())
}

fn cut(note: &str) -> String {
    note.chars().take(NOTE_CHARS_MAX).collect()
}

/// The provider's door, for who can't do without.
///
/// Errors: [`Refusal::NoPlanMirror`].
pub(super) fn door(ctx: &Context) -> Result<&dyn PlanMirror> {
    ctx.providers.plan_mirror().ok_or_else(|| Refusal::NoPlanMirror.into())
}
