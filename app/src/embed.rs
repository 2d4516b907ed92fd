//! What Whop shows of us in its own pages: balance and plans of whoever looks, to read. It has no header, no form and no
//! script; whatever is to be done is done on our own pages, in a tab of their own (T56).

use atlas::ledger::balance::Balance;
use atlas::plans::Offer;
use atlas::plans::shelf::Display;
use domain::{Credits, Price, paths};
use leptos::prelude::*;
use leptos_meta::HashedStylesheet;

use crate::pages::credits::plans::{PlanCredits, Stopped};
use crate::words;

/// What the frame shows.
pub enum Shown {
    /// No token of Whop's came along.
    Stranger,
    /// Nobody here is linked to this account of Whop's.
    Unlinked,
    Person {
        balance: Balance,
        shelf: Display,
    },
    Unavailable,
}

/// Where framing is allowed, and nothing else: no script, no form, no connection.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors https://whop.com https://*.whop.com; report-uri /csp-report; report-to csp";

/// The whole document. `public_url` is where our own pages are.
pub fn document(options: &LeptosOptions, public_url: &str, shown: Shown) -> String {
    let page = Owner::new().with(|| {
        view! {
            <html lang="en" data-theme="system">
                <head>
                    <meta charset="utf-8" />
                    <meta name="viewport" content="width=device-width, initial-scale=1" />
                    <meta name="color-scheme" content="light dark" />
                    <title>"Credits · Atlas"</title>
                    <HashedStylesheet options=options.clone() />
                </head>
                <body>
                    <main id="main" class="page">
                        <div class="page-head"><h1>"Credits"</h1></div>
                        {body(public_url, shown)}
                    </main>
                </body>
            </html>
        }
        .to_html()
    });
    format!("<!DOCTYPE html>{page}")
}

fn body(public_url: &str, shown: Shown) -> AnyView {
    let link = |path: &str, words: &'static str| {
        let address = format!("{public_url}{path}");
        view! { <a class="button" href=address target="_blank" rel="noopener">{words}</a> }
    };
    match shown {
        Shown::Stranger => view! {
            <div class="empty">
                <p>"This page is part of Whop. Open it from there, or see your credits on Atlas."</p>
                <p>{link(paths::CREDITS, "Open Atlas")}</p>
            </div>
        }
        .into_any(),
        Shown::Unlinked => view! {
            <div class="empty">
                <p>"Your Whop account isn’t linked to an account here. Link the two, and your credits stand here."</p>
                <p>{link(paths::ACCOUNT, "Link it on Atlas")}</p>
            </div>
        }
        .into_any(),
        Shown::Unavailable => view! {
            <div class="empty"><p>"Your credits can’t be shown just now. They are safe; please look again in a minute."</p></div>
        }
        .into_any(),
        Shown::Person { balance, shelf } => {
            let plans = match shelf.switches.stopped {
                Some(stopped) => view! { <Stopped message=stopped.message /> }.into_any(),
                None => view! { <div class="plan-sheet">{shelf.offers.iter().map(card).collect::<Vec<_>>()}</div> }.into_any(),
            };
            view! {
                <section class="balance" aria-labelledby="balance-title">
                    <div>
                        <h2 class="balance-label" id="balance-title">"Your balance"</h2>
                        <p class="balance-figure">
                            <span class="balance-number">{balance.available().to_string()}</span>
                            <span class="balance-unit">"credits"</span>
                        </p>
                        {(balance.debt > Credits::ZERO).then(|| view! {
                            <p>{balance.debt.to_string()}" owed after a refund; your next purchase repays it first"</p>
                        })}
                    </div>
                </section>
                <section aria-labelledby="plans-title">
                    <div class="section-head">
                        <h2 id="plans-title">"Plans"</h2>
                        {link(paths::CREDITS, "Buy on Atlas")}
                    </div>
                    {plans}
                </section>
            }
            .into_any()
        }
    }
}

fn card(offer: &Offer) -> impl IntoView + use<> {
    let price = match offer.price {
        Price::Fixed(price) => price.to_string(),
        Price::ByAgreement => "By agreement".to_owned(),
    };
    let title = format!("plan-{}", offer.slug);
    let card_title = title.clone();
    view! {
        <article class="plan-card" aria-labelledby=card_title>
            <h3 id=title>{offer.name.clone()}</h3>
            <PlanCredits credits=offer.credits bonus=offer.bonus />
            <p class="plan-price"><span class="plan-money">{price}</span></p>
            {words::listed(&offer.other_prices).map(|others| view! { <p class="plan-note">{format!("Also {others}.")}</p> })}
            <p class="plan-reason">{offer.description.clone()}</p>
        </article>
    }
}
