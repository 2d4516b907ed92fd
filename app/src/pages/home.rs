//! The landing page: what credits are for, what they cost, how it goes.

use atlas::plans;
use domain::{Price, paths};
use leptos::prelude::*;
use leptos_meta::Title;

use crate::pages::credits::plans::{PlanCredits, PlanTerms};
use crate::parts::problem::problem;
use crate::request::Request;
use crate::words;

#[component]
pub fn Home() -> impl IntoView {
    view! { <Suspense>{Suspend::new(async { draw().await })}</Suspense> }
}

async fn draw() -> AnyView {
    let offers = async {
        let request = Request::current()?;
        plans::catalogue(&request.ctx().db).await
    };
    let offers = match offers.await {
        Ok(offers) => offers,
        Err(error) => return problem(&error),
    };
    let cards = offers
        .into_iter()
        .map(|offer| {
            let per_thousand = offer.price.per_thousand(offer.credits);
            let by_agreement = (offer.price == Price::ByAgreement).then_some("request");
            view! {
                <article class="plan-card" data-kind=by_agreement>
                    <h3>{offer.name}</h3>
                    <PlanCredits credits=offer.credits bonus=offer.bonus />
                    <p class="plan-price">
                        <span class="plan-money">{words::price(offer.price)}</span>
                        {per_thousand.map(|price| format!(" {price} per 1,000"))}
                    </p>
                    {words::listed(&offer.other_prices).map(|others| view! { <p class="plan-note">{format!("Also {others}.")}</p> })}
                    <p class="plan-reason">{offer.description}</p>
                </article>
            }
        })
        .collect::<Vec<_>>();
    view! {
        <Title text="Atlas Credits: pay once, use when you need it" />
        <main id="main" class="page">
            <section class="hero">
                <h1>"Credits for your work, paid once, yours until used"</h1>
                <p>"Buy a pack, and it is in your wallet the moment the payment is through. Every credit that comes or goes stands in your statement."</p>
                <p class="cluster">
                    <a class="button button--primary" href=paths::SIGN_UP>"Create an account"</a>
                    <a class="button" href=paths::CREDITS>"See your credits"</a>
                </p>
            </section>
            <section aria-labelledby="plans-title">
                <h2 id="plans-title">"Plans"</h2>
                <div class="plan-sheet">{cards}</div>
                <PlanTerms />
            </section>
            <section aria-labelledby="steps-title">
                <h2 id="steps-title">"How it goes"</h2>
                <ol class="how">
                    <li><h3>"Choose"</h3><p>"Pick a pack. The price you see is the price you pay; tax, where there is any, is shown before you confirm."</p></li>
                    <li><h3>"Pay"</h3><p>"You pay at Whop’s checkout. We never see your card."</p></li>
                    <li><h3>"Use"</h3><p>"Credits arrive by themselves, with a receipt. You may even close the page."</p></li>
                </ol>
            </section>
        </main>
    }
    .into_any()
}
