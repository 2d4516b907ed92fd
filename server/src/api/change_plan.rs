//! `PATCH /api/admin/whop-plans/ID`: other terms, which make a new version, or another standing; one of them at a time, for
//! each is a deed of its own.

use app::request::Request;
use atlas::audit::Reason;
use atlas::people::fresh::Fresh;
use atlas::people::roles::Admin;
use atlas::plans::revise::{Edit, revise};
use atlas::plans::sale::{Sale, set};
use atlas::plans::{desk, retire};
use atlas::{Error, Refusal};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use domain::{FieldErrors, PlanId, paths};
use http::request::Parts;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::caller::{self, Door};
use super::input::{self, Sent};
use super::plan_shape::{NewPlan, Plan, PriceIn, Standing};
use super::plans::stands;
use super::problem::Problem;
use super::shapes::{self, Declined};

/// What is to be another; what is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanChange {
    /// One line of 1 to 500 characters, for the audit.
    reason: String,
    /// Another standing: `on_sale`, `off_sale`, or `retired` for good. Not together with other terms.
    #[serde(default)]
    standing: Option<Standing>,
    /// The version of the terms that was looked at; needed to change them.
    #[serde(default)]
    version: Option<i32>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    credits: Option<i64>,
    /// Null together with `currency`: by agreement.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    price_minor: Sent<i64>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    currency: Sent<String>,
    /// All of them; empty: none.
    #[serde(default)]
    other_prices: Option<Vec<PriceIn>>,
    /// Null: never.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    expires_after_days: Sent<i64>,
    /// Null: none.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    bonus_credits: Sent<i64>,
    /// Null: with the credits.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    bonus_expires_after_days: Sent<i64>,
    #[serde(default)]
    #[schema(schema_with = shapes::plan_visibility)]
    visibility: Option<String>,
}

/// One of the two things that can be changed.
enum Change {
    Standing(Standing),
    Terms { version: i32 },
}

impl PlanChange {
    fn which(&self) -> Result<Change, FieldErrors> {
        let names_terms = self.name.is_some()
            || self.description.is_some()
            || self.credits.is_some()
            || self.price_minor != Sent::Not
            || self.currency != Sent::Not
            || self.other_prices.is_some()
            || self.expires_after_days != Sent::Not
            || self.bonus_credits != Sent::Not
            || self.bonus_expires_after_days != Sent::Not
            || self.visibility.is_some();
        match (self.standing, names_terms, self.version) {
            (Some(_), true, _) => {
                Err(FieldErrors::one("standing", "Change the standing or the terms, one after the other."))
            }
            (Some(standing), false, _) => Ok(Change::Standing(standing)),
            (None, true, Some(version)) => Ok(Change::Terms { version }),
            (None, true, None) => Err(FieldErrors::one("version", "Send the version of the plan that you looked at.")),
            (None, false, _) => Err(FieldErrors::one("body", "Name what is to be another: a standing, or terms.")),
        }
    }

    /// The terms that stand, with what is to be another.
    fn onto(&self, terms: NewPlan) -> NewPlan {
        NewPlan {
            name: self.name.clone().unwrap_or(terms.name),
            description: self.description.clone().unwrap_or(terms.description),
            credits: self.credits.unwrap_or(terms.credits),
            price_minor: self.price_minor.or(terms.price_minor),
            currency: self.currency.or(terms.currency),
            other_prices: self.other_prices.clone().unwrap_or(terms.other_prices),
            expires_after_days: self.expires_after_days.or(terms.expires_after_days),
            bonus_credits: self.bonus_credits.or(terms.bonus_credits),
            bonus_expires_after_days: self.bonus_expires_after_days.or(terms.bonus_expires_after_days),
            visibility: self.visibility.clone().or(terms.visibility),
        }
    }
}

/// Changes a plan's terms, as a new version, or its standing. What was sold stays as it was sold.
#[utoipa::path(patch, path = "/api/admin/whop-plans/{id}", tag = "Plans", params(("id" = uuid::Uuid, Path)),
    request_body = PlanChange, security(("session" = [])), responses((status = 200, body = Plan), Declined))]
pub async fn patch(
    State(door): State<Door>,
    Path(id): Path<String>,
    parts: Parts,
    body: Bytes,
) -> Result<Json<Plan>, Problem> {
    let (request, admin) = caller::admin(&door, &parts).await?;
    let id: PlanId = input::id(&id)?;
    let asked: PlanChange = input::body(&parts.headers, &body)?;
    let change = asked.which()?;
    let reason = Reason::parse("reason", &asked.reason)?;
    let by = By { request: &request, admin: &admin, reason: &reason };
    match change {
        Change::Standing(standing) => {
            let fresh = by.fresh(id).await?;
            by.stand(&fresh, id, standing).await?;
        }
        Change::Terms { version } => by.revise(id, version, &asked).await?,
    }
    stands(&door, &admin, id).await
}

/// Who changes it, and why.
struct By<'a> {
    request: &'a Request,
    admin: &'a Admin,
    reason: &'a Reason,
}

impl By<'_> {
    async fn fresh(&self, id: PlanId) -> Result<Fresh, Problem> {
        caller::fresh(self.request, self.admin, &paths::admin_plan(id)).await
    }

    async fn stand(&self, fresh: &Fresh, id: PlanId, standing: Standing) -> atlas::Result<()> {
        let (ctx, origin) = (self.request.ctx(), self.request.origin());
        match standing {
            Standing::OnSale => set(ctx, self.admin, fresh, &origin, id, Sale::On, self.reason).await,
            Standing::OffSale => set(ctx, self.admin, fresh, &origin, id, Sale::Off, self.reason).await,
            Standing::Retired => retire::retire(ctx, self.admin, fresh, &origin, id, self.reason).await,
        }
    }

    async fn revise(&self, id: PlanId, version: i32, asked: &PlanChange) -> Result<(), Problem> {
        let ctx = self.request.ctx();
        let seen = desk::open(&ctx.db, self.admin, id).await?;
        if seen.revision != version {
            return Err(overtaken(&seen.into()));
        }
        let terms = asked.onto(NewPlan::of(&seen.terms)).terms()?;
        let fresh = self.fresh(id).await?;
        let edit = Edit { plan: id, revision: version, terms };
        match revise(ctx, self.admin, &fresh, &self.request.origin(), &edit, self.reason).await {
            Err(Error::Refused(Refusal::PlanChangedMeanwhile)) => {
                Err(overtaken(&desk::open(&ctx.db, self.admin, id).await?.into()))
            }
            done => Ok(done.map(|_| ())?),
        }
    }
}

/// Of two who change the same version the second hears what stands now.
fn overtaken(stands: &Plan) -> Problem {
    Problem::Overtaken {
        code: "plan_changed_meanwhile",
        message: "Somebody else changed this plan meanwhile. Nothing was saved; current is how it stands.".to_owned(),
        current: json!(stands),
    }
}
