//! One plan: its terms to edit, its versions, whether it is on sale, and its counterpart at Whop.

mod differences;
mod mirror;

use atlas::people::roles::Admin;
use atlas::plans::desk::{self, Plan, Standing, Version};
use atlas::{Error, Result};
use domain::paths;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;

use self::differences::Differences;
use self::mirror::AtWhop;
use super::for_admin;
use super::plan_new::{TermsFields, bonus_credits};
use crate::actions::admin::plan_mirror::adopt_form;
use crate::actions::admin::plan_sale::{DeletePlan, PutPlanOnSale, RetirePlan, TakePlanOffSale, sale_form};
use crate::actions::admin::plans::{RevisePlan, edit_form};
use crate::flash::{self, Form, form_of};
use crate::pages::param;
use crate::parts::field::{ErrorSummary, TextField};
use crate::parts::notice::FlashNotice;
use crate::parts::records::{Column, Record, Records};
use crate::parts::small::{Badge, Moment};
use crate::request::Request;
use crate::words;

#[component]
pub fn PlanPage() -> impl IntoView {
    let id = param("id");
    let page = for_admin(move |request, admin| draw(request, admin, id));
    view! { <Suspense>{Suspend::new(page)}</Suspense> }
}

/// The page's forms, as they were sent last.
struct Forms {
    edit: Form,
    sale: Form,
    adopt: Form,
}

async fn draw(request: Request, admin: Admin, id: String) -> Result<AnyView> {
    let db = &request.ctx().db;
    let plan = desk::open(db, &admin, id.parse().map_err(|_| Error::NotFound)?).await?;
    let versions = desk::versions(db, &admin, plan.id).await?;
    let flash = flash::take(&request).await?;
    let id = plan.id.to_string();
    let forms = Forms {
        edit: form_of(flash.as_ref(), &edit_form(&id)),
        sale: form_of(flash.as_ref(), &sale_form(&id)),
        adopt: form_of(flash.as_ref(), &adopt_form(&id)),
    };
    let (standing, tone) = words::plan_standing(plan.standing);
    let retired = plan.standing == Standing::Retired;
    Ok(view! {
        <Title text="Plan · Atlas Credits" />
        <main id="main" class="page page--reading">
            <div class="page-head">
                <div>
                    <h1><bdi>{plan.terms.name.clone()}</bdi></h1>
                    <p class="page-lead"><Badge words=standing tone /></p>
                </div>
            </div>
            <FlashNotice flash />
            <ErrorSummary form=forms.edit.clone() />
            <Differences form=forms.edit.clone() plan=plan.clone() newest=versions.first().cloned() />
            <Facts plan=plan.clone() />
            {(!retired).then(|| view! { <EditForm form=forms.edit plan=plan.clone() /> })}
            <Ends form=forms.sale plan=plan.clone() />
            <AtWhop form=forms.adopt plan=plan.clone() />
            <Versions versions />
            <p><a href=paths::ADMIN_PLANS>"Back to the plans"</a></p>
        </main>
    }
    .into_any())
}

#[component]
fn Facts(plan: Plan) -> impl IntoView {
    let per_thousand = plan.terms.price.per_thousand(plan.terms.credits);
    let link = paths::credits_plan(plan.id);
    view! {
        <dl class="facts">
            <div><dt>"Credits"</dt><dd>{plan.terms.credits.to_string()}</dd></div>
            <div>
                <dt>"Price"</dt>
                <dd>{words::price(plan.terms.price)}{per_thousand.map(|price| format!(", {price} per 1,000"))}</dd>
            </div>
            {words::listed(&plan.terms.other_prices).map(|others| view! { <div><dt>"Other currencies"</dt><dd>{others}</dd></div> })}
            <div><dt>"Credits end"</dt><dd>{words::credits_end(plan.terms.expires_after_days)}</dd></div>
            {plan.terms.bonus.map(|bonus| {
                let ends = words::credits_end(bonus.ends_after_days(plan.terms.expires_after_days));
                view! {
                    <div><dt>"Bonus credits"</dt><dd>{bonus.credits.to_string()}</dd></div>
                    <div><dt>"Bonus ends"</dt><dd>{ends}</dd></div>
                }
            })}
            <div><dt>"Seen by"</dt><dd>{words::plan_visibility(plan.terms.visibility)}</dd></div>
            <div><dt>"Sold"</dt><dd>{plan.sold}</dd></div>
            {(plan.standing == Standing::OnSale).then(|| view! {
                <div><dt>"Link"</dt><dd><a href=link.clone()>{link.clone()}</a></dd></div>
            })}
            <div>
                <dt>"Changes"</dt>
                <dd>
                    <a href=paths::with_query(paths::ADMIN_AUDIT, &[("deed", "plan_revised")])>"Who changed plans, and why"</a>
                </dd>
            </div>
        </dl>
    }
}

#[component]
fn EditForm(form: Form, plan: Plan) -> impl IntoView {
    view! {
        <section class="stack" aria-labelledby="terms-title">
            <h2 id="terms-title">"Terms"</h2>
            <p class="muted">"Saving makes a new version. What was sold stays what it was."</p>
            <form class="form" method="post" action=RevisePlan::PATH>
                <input r#type="hidden" name="plan" value=plan.id.to_string() />
                <input r#type="hidden" name="revision" value=plan.revision.to_string() />
                <TermsFields form=form.clone() terms=Some(plan.terms) />
                <TextField form name="reason" label="Reason" autocomplete="off" help="Kept in the audit." />
                <div class="form-foot"><button class="button button--primary" r#type="submit">"Save as a new version"</button></div>
            </form>
        </section>
    }
}

/// Putting it on sale and taking it off, and its end.
#[component]
fn Ends(form: Form, plan: Plan) -> impl IntoView {
    let retired = plan.standing == Standing::Retired;
    if retired && plan.ordered {
        return ().into_any();
    }
    let sentence = match (plan.standing, plan.ordered) {
        (Standing::Retired, _) => "It is retired, and nobody ever ordered it.",
        (_, true) => {
            "Retiring takes it off sale for good. It was ordered before, so it stays to be seen and can’t be deleted."
        }
        (_, false) => "Nobody has ordered it, so it can be deleted.",
    };
    let sale = (!retired).then(|| {
        if plan.standing == Standing::OnSale {
            view! { <button class="button" r#type="submit" formaction=TakePlanOffSale::PATH>"Take off sale"</button> }
        } else {
            view! { <button class="button" r#type="submit" formaction=PutPlanOnSale::PATH>"Put on sale"</button> }
        }
    });
    let end = if plan.ordered {
        view! { <button class="button button--danger" r#type="submit" formaction=RetirePlan::PATH>"Retire the plan"</button> }
    } else {
        view! { <button class="button button--danger" r#type="submit" formaction=DeletePlan::PATH>"Delete the plan"</button> }
    };
    let first = if retired { DeletePlan::PATH } else { TakePlanOffSale::PATH };
    view! {
        <section class="stack" aria-labelledby="sale-title">
            <h2 id="sale-title">"Sale"</h2>
            <ErrorSummary form=form.clone() prefix="sale-" />
            <form class="form" method="post" action=first>
                <input r#type="hidden" name="plan" value=plan.id.to_string() />
                <TextField form name="reason" label="Why it goes on or off" autocomplete="off" prefix="sale-" help="Kept in the audit." />
                <p class="muted">{sentence}</p>
                <div class="form-foot">{sale}{end}</div>
            </form>
        </section>
    }
    .into_any()
}

#[component]
fn Versions(versions: Vec<Version>) -> impl IntoView {
    const COLUMNS: &[Column] = &[
        Column::Text("Version"),
        Column::Text("Name"),
        Column::Number("Credits"),
        // There may be many, and they wrap.
        Column::Text("Price"),
        Column::Number("Sold"),
        Column::Text("By"),
        Column::Text("Made"),
    ];
    let records = versions.into_iter().map(|version| {
        let price = words::prices(&version.terms);
        let by = version.by.unwrap_or_else(|| "the program".to_owned());
        Record::from(vec![
            version.number.into_any(),
            view! { <bdi>{version.terms.name.clone()}</bdi> }.into_any(),
            words::with_bonus(version.terms.credits, bonus_credits(&version.terms)).into_any(),
            price.into_any(),
            version.sold.into_any(),
            view! { <bdi>{by}</bdi> }.into_any(),
            view! { <Moment at=version.at /> }.into_any(),
        ])
    });
    view! { <Records id="versions-title" title="Versions" columns=COLUMNS records=records.collect() /> }
}
