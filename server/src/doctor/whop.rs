//! Whop: the keys, whether they are good for the company, and whether the webhook tells us what we need.

use atlas::Context;
use atlas::providers::whop::standing::{Deafness, KeyTrouble, check_key, hearing};
use atlas::providers::whop::{API_VERSION, Client};
use atlas::set_up::whop::{Given, Keys, client, keys, webhook_url};
use domain::Provider;

use super::check::Check;
use crate::config::Config;

const KEYS: &str = "Whop keys";
const API: &str = "Whop API";
const WEBHOOK: &str = "Webhook";
const SECRET: &str = "Webhook secret";

/// `ctx`: none while there is no database that might hold what the set-up page stored.
pub async fn checks(config: &Config, ctx: Option<&Context>) -> Vec<Check> {
    if config.payment_provider != Provider::Whop {
        return vec![Check::skipped(API, "PAYMENT_PROVIDER is not whop, so nothing is sold online")];
    }
    let given = config.whop.given();
    let known = match ctx {
        Some(ctx) => keys(ctx, &given).await,
        None => Ok(Keys::only(&given)),
    };
    let known = match known {
        Ok(known) => known,
        Err(error) => return vec![sealed(&error)],
    };
    let secret = secret(&known);
    let (Some(api_key), Some(company)) = (&known.api_key, &known.company_id) else {
        let because = "it takes the keys to ask Whop";
        return vec![missing(&known), Check::skipped(API, because), Check::skipped(WEBHOOK, because), secret];
    };
    let mut checks = vec![Check::good(KEYS, format!("an API key for {company}, {}", said_by(&given)))];
    match client(&given, api_key, company) {
        Ok(client) => checks.extend(ask(config, &client).await),
        Err(error) => {
            checks.push(Check::bad(API, format!("{error}"), "Mend WHOP_API_URL, WHOP_API_KEY and WHOP_COMPANY_ID."));
        }
    }
    checks.push(secret);
    checks
}

fn said_by(given: &Given) -> &'static str {
    if given.api_key.is_some() { "from the environment" } else { "stored by the set-up page" }
}

fn sealed(error: &atlas::Error) -> Check {
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    Check::bad(
        KEYS,
        format!("what is stored can’t be opened: {cause}"),
        "Put the encryption key back that sealed it (ATLAS_ENCRYPTION_KEYS), or set WHOP_API_KEY, WHOP_COMPANY_ID and WHOP_WEBHOOK_SECRET.",
    )
}

fn missing(known: &Keys) -> Check {
    let named = [("WHOP_API_KEY", known.api_key.is_none()), ("WHOP_COMPANY_ID", known.company_id.is_none())];
    let named: Vec<&str> = named.into_iter().filter_map(|(name, is_missing)| is_missing.then_some(name)).collect();
    Check::bad(
        KEYS,
        format!("{} missing", named.join(" and ")),
        "Start atlas serve and open /set-up with the code from its log, or set the variables. PAYMENT_PROVIDER=manual sells without Whop.",
    )
}

fn secret(known: &Keys) -> Check {
    match known.webhook_secret {
        Some(_) => Check::good(SECRET, "there is one to tell Whop’s deliveries by"),
        None => Check::bad(
            SECRET,
            "there is none, so nothing that Whop says can be believed",
            "Make the webhook on the set-up page (/set-up), or set WHOP_WEBHOOK_SECRET to what Whop showed when it was made.",
        ),
    }
}

async fn ask(config: &Config, client: &Client) -> Vec<Check> {
    if let Err(trouble) = check_key(client).await {
        return vec![api_trouble(config, &trouble), Check::skipped(WEBHOOK, "Whop has to let us in first")];
    }
    let api = Check::good(API, format!("the key is good for {}", client.company_id()));
    vec![api, webhook(config, client).await]
}

fn api_trouble(config: &Config, trouble: &KeyTrouble) -> Check {
    let mend = match trouble {
        KeyTrouble::Refused => {
            "Set WHOP_API_KEY to a key of the company (Whop: Developer, API keys). Live keys and the sandbox’s work only with their own WHOP_API_URL."
        }
        KeyTrouble::OtherAccount(_) => "Set WHOP_COMPANY_ID to that company, or WHOP_API_KEY to a key of yours.",
        KeyTrouble::NotAllowed(_) => {
            "Check WHOP_COMPANY_ID and WHOP_API_URL, and give the key the permissions that docs/operate.md, 3, lists."
        }
        KeyTrouble::Unreachable(_) => "Check the network and WHOP_API_URL; then run atlas doctor again.",
        KeyTrouble::Odd(_) => "Set WHOP_API_URL to Whop’s API, or leave it away.",
    };
    Check::bad(API, format!("{trouble} at {}", config.whop.api_url), mend)
}

async fn webhook(config: &Config, client: &Client) -> Check {
    let url = webhook_url(&config.public_url(config.listen));
    let members_only = config.membership_rule().is_ok_and(|rule| rule.is_some());
    let endpoints = match client.endpoints().collect().await {
        Ok(endpoints) => endpoints,
        Err(error) => {
            return Check::warning(
                WEBHOOK,
                format!("the webhooks can’t be listed: {error}"),
                "Give the key the permission developer:manage_webhook, or look at Whop’s dashboard yourself.",
            );
        }
    };
    let Some(heard) = hearing(&endpoints, &url, members_only) else {
        return Check::bad(
            WEBHOOK,
            format!("none of {} webhooks at Whop leads to {url}", endpoints.len()),
            "Make it: docs/operate.md, 3. Its secret belongs into WHOP_WEBHOOK_SECRET.",
        );
    };
    if heard.troubles.is_empty() {
        return Check::good(WEBHOOK, format!("{} leads here, pinned to {API_VERSION}, with every event", heard.id));
    }
    let found: Vec<String> = heard.troubles.iter().map(ToString::to_string).collect();
    let found = format!("{}: {}", heard.id, found.join("; "));
    let mend =
        format!("Mend {} in Whop’s dashboard (Developer, Webhooks), or by PATCH /webhooks/{}.", heard.id, heard.id);
    if matches!(heard.troubles[..], [Deafness::Failing(_)]) {
        Check::warning(WEBHOOK, found, "Look into the log why deliveries are refused; replay them at Whop afterwards.")
    } else {
        Check::bad(WEBHOOK, found, mend)
    }
}
