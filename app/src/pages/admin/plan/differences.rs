//! Somebody else saved this plan while it was edited: what stands now, beside what was typed.

use atlas::plans::Terms;
use atlas::plans::desk::{Plan, Version};
use atlas::plans::prices::written;
use domain::Price;
use leptos::prelude::*;

use crate::actions::admin::plans::DIFFERENCES;
use crate::flash::Form;
use crate::pages::admin::plan_new::other_prices::typed_prices;
use crate::pages::admin::plan_new::{typed_bonus, typed_bonus_days, typed_currency, typed_days, typed_price};
use crate::parts::small::Moment;

/// Nothing, unless the form was about an older version than the one that stands.
#[component]
pub fn Differences(form: Form, plan: Plan, newest: Option<Version>) -> impl IntoView {
    if !form.values.contains_key("revision") || form.value("revision") == plan.revision.to_string() {
        return ().into_any();
    }
    let by = newest.as_ref().and_then(|version| version.by.clone()).unwrap_or_else(|| "somebody".to_owned());
    let at = newest.map(|version| view! { ", "<Moment at=version.at /> });
    let rows: Vec<_> = differing(&form, &plan.terms)
        .into_iter()
        .map(|(label, stands, typed)| {
            view! {
                <tr>
                    <th scope="row">{label}</th>
                    <td data-label="Stands now"><bdi>{stands}</bdi></td>
                    <td data-label="You typed"><bdi>{typed}</bdi></td>
                </tr>
            }
        })
        .collect();
    view! {
        <section class="stack" id=DIFFERENCES aria-labelledby="differences-title">
            <h2 id="differences-title">"Changed meanwhile"</h2>
            <p>{format!("Version {} was saved by ", plan.revision)}<bdi>{by}</bdi>{at}". Yours is below, not saved."</p>
            {if rows.is_empty() {
                view! { <p>"It says what you typed."</p> }.into_any()
            } else {
                view! {
                    <table class="table">
                        <caption class="visually-hidden">"What differs"</caption>
                        <thead>
                            <tr><th scope="col">"Field"</th><th scope="col">"Stands now"</th><th scope="col">"You typed"</th></tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                }
                .into_any()
            }}
        </section>
    }
    .into_any()
}

fn differing(form: &Form, terms: &Terms) -> Vec<(&'static str, String, String)> {
    let sold = if terms.price == Price::ByAgreement { "agreement" } else { "once" };
    let stands = [
        ("name", "Name", terms.name.clone()),
        ("description", "Description", terms.description.clone()),
        ("credits", "Credits", terms.credits.to_string()),
        ("sold", "How it is sold", sold.to_owned()),
        ("price", "Price", typed_price(terms)),
        ("currency", "Currency", typed_currency(terms)),
        ("expires_after_days", "Credits end after days", typed_days(terms)),
        ("bonus_credits", "Bonus credits", typed_bonus(terms)),
        ("bonus_expires_after_days", "Bonus ends after days", typed_bonus_days(terms)),
        ("visibility", "Who sees it", terms.visibility.as_str().to_owned()),
    ];
    let pairs = stands.into_iter().map(|(field, label, stands)| (label, stands, form.value(field)));
    let others = ("Other currencies", written(&terms.other_prices), typed_prices(form));
    pairs.chain([others]).filter(|(_, stands, typed)| stands != typed.trim()).collect()
}
