//! Making plans, and changing their terms.

#![expect(clippy::too_many_arguments, reason = "the fields of a form are the arguments of its server function")]

use atlas::audit::Reason;
use atlas::orders::FormKey;
use atlas::plans::prices::TypedPrice;
use atlas::plans::revise::{Edit, Revised, revise};
use atlas::plans::terms::Typed;
use atlas::plans::{Terms, create};
use atlas::{Error, Refusal, Result};
use domain::{FieldErrors, PlanId, paths};
use leptos::prelude::*;

use crate::actions::answer;
use crate::flash::{self, Flash, Form};
use crate::pages::admin::plan_new::other_prices::kept;
use crate::request::Request;

pub const NEW_FORM: &str = "new-plan";
/// Where what differs is shown, when somebody else was faster.
pub const DIFFERENCES: &str = "differences";

/// The name of the form that edits a plan: what is kept of one is not shown at another.
pub fn edit_form(plan: &str) -> String {
    format!("plan-{plan}")
}

#[server(prefix = "/do/admin", endpoint = "create-plan")]
pub async fn create_plan(
    name: String,
    description: String,
    credits: String,
    sold: String,
    price: String,
    currency: String,
    #[server(default)] other_prices: Vec<TypedPrice>,
    expires_after_days: String,
    #[server(default)] bonus_credits: String,
    #[server(default)] bonus_expires_after_days: String,
    visibility: String,
    #[server(default)] key: String,
) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let typed = Typed {
        name: &name,
        description: &description,
        credits: &credits,
        sold: &sold,
        price: &price,
        currency: &currency,
        other_prices: &other_prices,
        expires_after_days: &expires_after_days,
        bonus_credits: &bonus_credits,
        bonus_expires_after_days: &bonus_expires_after_days,
        visibility: &visibility,
    };
    let rows = kept(&other_prices);
    let form = Form::new(NEW_FORM, &fields(&typed, &rows), FieldErrors::default());
    let outcome = make(&request, &typed, &key).await;
    answer(&request, paths::ADMIN_PLAN_NEW, form, outcome).await;
    Ok(())
}

#[server(prefix = "/do/admin", endpoint = "revise-plan")]
pub async fn revise_plan(
    plan: String,
    revision: String,
    name: String,
    description: String,
    credits: String,
    sold: String,
    price: String,
    currency: String,
    #[server(default)] other_prices: Vec<TypedPrice>,
    expires_after_days: String,
    #[server(default)] bonus_credits: String,
    #[server(default)] bonus_expires_after_days: String,
    visibility: String,
    reason: String,
) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let typed = Typed {
        name: &name,
        description: &description,
        credits: &credits,
        sold: &sold,
        price: &price,
        currency: &currency,
        other_prices: &other_prices,
        expires_after_days: &expires_after_days,
        bonus_credits: &bonus_credits,
        bonus_expires_after_days: &bonus_expires_after_days,
        visibility: &visibility,
    };
    let rows = kept(&other_prices);
    let mut values = vec![("revision", revision.as_str()), ("reason", reason.as_str())];
    values.extend(fields(&typed, &rows));
    let form = Form::new(&edit_form(&plan), &values, FieldErrors::default()).refused_beside(DIFFERENCES);
    let outcome = change(&request, &plan, &revision, &typed, &reason).await;
    answer(&request, &page_of(&plan), form, outcome).await;
    Ok(())
}

/// Where the form was; the list, if there is no such plan.
pub(super) fn page_of(plan: &str) -> String {
    plan.parse().map_or_else(|_| paths::ADMIN_PLANS.to_owned(), paths::admin_plan)
}

fn fields<'a>(typed: &Typed<'a>, rows: &'a [(String, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let fields = [
        ("name", typed.name),
        ("description", typed.description),
        ("credits", typed.credits),
        ("sold", typed.sold),
        ("price", typed.price),
        ("currency", typed.currency),
        ("expires_after_days", typed.expires_after_days),
        ("bonus_credits", typed.bonus_credits),
        ("bonus_expires_after_days", typed.bonus_expires_after_days),
        ("visibility", typed.visibility),
    ];
    fields.into_iter().chain(rows.iter().map(|(field, typed)| (field.as_str(), *typed))).collect()
}

async fn make(request: &Request, typed: &Typed<'_>, key: &str) -> Result<String> {
    let admin = request.admin().await?;
    let terms = Terms::parse(typed).map_err(Error::Invalid)?;
    let key = FormKey::parse("key", key).map_err(|_| Refusal::FormIncomplete)?;
    let plan = create::create(request.ctx(), &admin, &request.origin(), &terms, &key).await?;
    let said = "The plan is made. It is off sale until you put it on sale.".to_owned();
    flash::leave(request, Flash::Done(said)).await?;
    Ok(paths::admin_plan(plan))
}

async fn change(request: &Request, plan: &str, revision: &str, typed: &Typed<'_>, reason: &str) -> Result<String> {
    let admin = request.admin().await?;
    let plan: PlanId = plan.parse().map_err(|_| Error::NotFound)?;
    // Before anybody is asked who they are: what can't be saved has to be mended first.
    let (terms, reason) = match (Terms::parse(typed), Reason::parse("reason", reason)) {
        (Ok(terms), Ok(reason)) => (terms, reason),
        (Err(terms), Err(reason)) => return Err(Error::Invalid(together(terms, &reason))),
        (Err(wrong), _) | (_, Err(wrong)) => return Err(Error::Invalid(wrong)),
    };
    let Some(fresh) = request.fresh(admin.person()).await? else {
        return Ok(paths::confirm(&paths::admin_plan(plan)));
    };
    // A revision that is no number is none that stands.
    let edit = Edit { plan, revision: revision.parse().unwrap_or(0), terms };
    let revised = revise(request.ctx(), &admin, &fresh, &request.origin(), &edit, &reason).await?;
    let said = match revised {
        Revised::Saved(version) => {
            format!("Saved as version {version}. Orders that were made keep what they were sold.")
        }
        Revised::Unchanged => "Nothing is different, so nothing was saved.".to_owned(),
    };
    flash::leave(request, Flash::Done(said)).await?;
    Ok(paths::admin_plan(plan))
}

fn together(mut errors: FieldErrors, others: &FieldErrors) -> FieldErrors {
    for (field, message) in others.iter() {
        errors.add(field, message);
    }
    errors
}
