//! The steps one by one: how each stands, and the form that takes it.

use atlas::providers::whop::standing::KeyTrouble;
use atlas::set_up::standing::WhopStanding;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::actions::set_up::{AddPlans, MakeFirstAdmin, MakeWebhook, StoreWhopKeys};
use crate::flash::Form;
use crate::parts::field::TextField;
use crate::parts::small::Badge;
use crate::words::Tone;

#[component]
pub fn Database(version: String) -> impl IntoView {
    view! {
        <section class="stack" aria-labelledby="database-title">
            <h2 id="database-title">"1. Database"</h2>
            <p><Badge words="Done" tone=Tone::Good />{format!(" PostgreSQL {version} answers, and its schema is up to date.")}</p>
        </section>
    }
}

#[component]
pub fn NoWhop() -> impl IntoView {
    view! {
        <section class="stack" aria-labelledby="keys-title">
            <h2 id="keys-title">"2. and 3. Whop"</h2>
            <p><Badge words="Not wanted" tone=Tone::Info />" PAYMENT_PROVIDER says that nothing is sold online."</p>
        </section>
    }
}

pub fn keys(form: &Form, whop: &WhopStanding) -> impl IntoView + use<> {
    let state = match (&whop.key, &whop.company_id) {
        (Some(Ok(title)), Some(company)) => {
            let name = title.as_ref().map(|title| format!(" ({title})")).unwrap_or_default();
            (Tone::Good, "Done", format!(" Whop knows the key; it sells for {company}{name}."))
        }
        (Some(Err(trouble)), _) => (Tone::Bad, "Wrong", format!(" {}.", words(trouble))),
        _ => (Tone::Wait, "To do", " An API key of the company that sells, and the company’s id.".to_owned()),
    };
    let (tone, badge, sentence) = state;
    let given = whop.is_given;
    let is_settled = given.api_key && given.company_id || whop.has_secret && tone == Tone::Good;
    let from_environment = (given.api_key || given.company_id).then(|| {
        let names = match (given.api_key, given.company_id) {
            (true, true) => "WHOP_API_KEY and WHOP_COMPANY_ID are",
            (true, false) => "WHOP_API_KEY is",
            _ => "WHOP_COMPANY_ID is",
        };
        view! { <p class="muted">{format!("{names} set in the environment, which wins over what is typed here.")}</p> }
    });
    let company = whop.company_id.clone();
    view! {
        <section class="stack" aria-labelledby="keys-title">
            <h2 id="keys-title">"2. Whop keys"</h2>
            <p><Badge words=badge tone />{sentence}</p>
            {from_environment}
            {(!is_settled)
                .then(|| view! {
                    <form class="form" method="post" action=StoreWhopKeys::PATH>
                        {if given.api_key {
                            view! { <input r#type="hidden" name="api_key" value="" /> }.into_any()
                        } else {
                            view! {
                                <TextField form=form.clone() name="api_key" label="API key" kind="password" autocomplete="off"
                                    help="From Whop’s dashboard: Developer, API keys. Whop is asked before it is stored, encrypted." />
                            }
                            .into_any()
                        }}
                        {if given.company_id {
                            view! { <input r#type="hidden" name="company_id" value="" /> }.into_any()
                        } else {
                            view! {
                                <TextField form=form.clone() name="company_id" label="Company id" autocomplete="off"
                                    initial=company.unwrap_or_default()
                                    help="It begins with biz_ and stands in the address of your dashboard." />
                            }
                            .into_any()
                        }}
                        <div class="form-foot"><button class="button" r#type="submit">"Check and store"</button></div>
                    </form>
                })}
        </section>
    }
}

fn words(trouble: &KeyTrouble) -> String {
    match trouble {
        KeyTrouble::Refused => "Whop refuses the key".to_owned(),
        KeyTrouble::OtherAccount(account) => format!("The key belongs to {account}"),
        KeyTrouble::NotAllowed(_) => "The key may not read this company’s payments".to_owned(),
        KeyTrouble::Unreachable(_) | KeyTrouble::Odd(_) => "Whop doesn’t answer just now".to_owned(),
    }
}

pub fn webhook(whop: &WhopStanding) -> impl IntoView + use<> {
    let troubles: Vec<String> =
        whop.webhook.iter().flat_map(|heard| &heard.troubles).map(|trouble| format!("{trouble}.")).collect();
    let url = whop.webhook_url.clone();
    let (tone, badge, sentence) = match (whop.has_secret, &whop.webhook) {
        (true, Some(heard)) if troubles.is_empty() => {
            (Tone::Good, "Done", format!(" {} tells this Atlas of every payment, refund and dispute.", heard.id))
        }
        (true, Some(heard)) => (Tone::Bad, "Wrong", format!(" {} leads here, but:", heard.id)),
        (true, None) => (Tone::Bad, "Not found", format!(" There is a secret, but Whop names no webhook to {url}.")),
        (false, _) => (Tone::Wait, "To do", format!(" Whop is asked to make one that leads to {url}.")),
    };
    let can_make = !whop.has_secret && matches!(whop.key, Some(Ok(_)));
    let waits = !whop.has_secret && !can_make;
    view! {
        <section class="stack" aria-labelledby="webhook">
            <h2 id="webhook">"3. Webhook"</h2>
            <p><Badge words=badge tone />{sentence}</p>
            {(!troubles.is_empty() && whop.has_secret)
                .then(|| view! { <ul>{troubles.into_iter().map(|trouble| view! { <li>{trouble}</li> }).collect_view()}</ul> })}
            {whop
                .is_given
                .webhook_secret
                .then(|| view! { <p class="muted">"Its secret is WHOP_WEBHOOK_SECRET of the environment."</p> })}
            {waits.then(|| view! { <p class="muted">"It takes the keys first."</p> })}
            {can_make
                .then(|| view! {
                    <form class="form" method="post" action=MakeWebhook::PATH>
                        <p class="field-help">"Whop says its secret only once; it is stored at once, encrypted."</p>
                        <div class="form-foot"><button class="button" r#type="submit">"Create the webhook"</button></div>
                    </form>
                })}
        </section>
    }
}

#[component]
pub fn Plans(count: i64) -> impl IntoView {
    view! {
        <section class="stack" aria-labelledby="plans-title">
            <h2 id="plans-title">"4. Plans"</h2>
            {if count > 0 {
                view! { <p><Badge words="Done" tone=Tone::Good />{format!(" {count} on sale.")}</p> }.into_any()
            } else {
                view! {
                    <p>
                        <Badge words="To do" tone=Tone::Wait />
                        " Starter, 5,000 credits for $7.50; Pro, 25,000 for $32.50; Enterprise, 100,000 by request. You can change "
                        "them later."
                    </p>
                    <form method="post" action=AddPlans::PATH>
                        <button class="button" r#type="submit">"Add these plans"</button>
                    </form>
                }
                .into_any()
            }}
        </section>
    }
}

#[component]
pub fn FirstAdmin(form: Form, is_ready: bool) -> impl IntoView {
    view! {
        <section class="stack" aria-labelledby="admin">
            <h2 id="admin">"5. The first admin"</h2>
            {if is_ready {
                view! {
                    <p><Badge words="To do" tone=Tone::Wait />" With it this page ends, and the code with it."</p>
                    <form class="form" method="post" action=MakeFirstAdmin::PATH>
                        <TextField form=form.clone() name="name" label="Name" autocomplete="name" optional=true />
                        <TextField form=form.clone() name="email" label="Email" kind="email" autocomplete="email" />
                        <TextField form name="password" label="Password" kind="password" autocomplete="new-password"
                            help="At least 8 characters, better 15 or more; a few words in a row are easy to remember." />
                        <div class="form-foot">
                            <button class="button button--primary" r#type="submit">"Create the admin"</button>
                        </div>
                    </form>
                }
                .into_any()
            } else {
                view! {
                    <p><Badge words="Waits" tone=Tone::Info />" It takes the keys and the webhook first."</p>
                }
                .into_any()
            }}
        </section>
    }
}
