//! Whop, as it is set up: by the environment, and where that says nothing, by what the set-up page stored, sealed.

use domain::FieldErrors;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Installer, by, take_turn};
use crate::audit::{self, About, Change, Origin, What};
use crate::limits::{self, SET_UP_STEPS};
use crate::providers::verify::{SECRET_BYTES_MIN, WebhookSecrets};
use crate::providers::whop::standing::{HURRIED, KeyTrouble, check_key, events};
use crate::providers::whop::wire::webhook::{Endpoint, NewEndpoint};
use crate::providers::whop::{API_VERSION, Client, Settings, WhopError};
use crate::vault::Place;
use crate::{Context, Error, Result, ids};

const TABLE: &str = "provider_settings";
const KEY_BYTES: std::ops::RangeInclusive<usize> = 16..=1_000;
const COMPANY_BYTES_MAX: usize = 255;

/// What the environment says of Whop. It wins over what is stored.
#[derive(Debug, Clone)]
pub struct Given {
    pub api_url: String,
    pub api_key: Option<SecretString>,
    pub company_id: Option<String>,
    pub webhook_secret: Option<SecretString>,
}

/// What counts, taken together.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    pub company_id: Option<String>,
    pub api_key: Option<SecretString>,
    pub webhook_secret: Option<SecretString>,
}

impl Keys {
    /// With nothing stored.
    pub fn only(given: &Given) -> Self {
        Self {
            company_id: given.company_id.clone(),
            api_key: given.api_key.clone(),
            webhook_secret: given.webhook_secret.clone(),
        }
    }

    /// Whether it is enough to sell, and to be told of payments.
    pub const fn are_whole(&self) -> bool {
        self.company_id.is_some() && self.api_key.is_some() && self.webhook_secret.is_some()
    }
}

struct Row {
    id: Uuid,
    account: String,
    sealed_api_key: Option<Vec<u8>>,
    sealed_webhook_secret: Option<Vec<u8>>,
}

/// What counts now. What is stored for another company than the environment names does not.
///
/// Errors: [`Error::Broken`] when what is stored does not open with the encryption keys that are here.
pub async fn keys(ctx: &Context, given: &Given) -> Result<Keys> {
    let mut db = ctx.db.acquire().await?;
    let stored = row(&mut db).await?;
    let stored = stored.filter(|row| given.company_id.as_ref().is_none_or(|company| *company == row.account));
    let Some(row) = stored else { return Ok(Keys::only(given)) };
    let or_stored = |given: &Option<SecretString>, column, sealed: Option<&Vec<u8>>| match (given, sealed) {
        (Some(given), _) => Ok(Some(given.clone())),
        (None, Some(sealed)) => open(ctx, column, row.id, sealed).map(Some),
        (None, None) => Ok(None),
    };
    Ok(Keys {
        api_key: or_stored(&given.api_key, "sealed_api_key", row.sealed_api_key.as_ref())?,
        webhook_secret: or_stored(&given.webhook_secret, "sealed_webhook_secret", row.sealed_webhook_secret.as_ref())?,
        company_id: Some(row.account),
    })
}

/// Checks a key at Whop and keeps it, sealed. What the environment says is not asked for: `typed` stands in for the rest.
///
/// Errors: [`Error::Invalid`] on `api_key` or `company_id`; then nothing is stored.
pub async fn store_keys(ctx: &Context, _: &Installer, origin: &Origin, given: &Given, typed: Typed) -> Result<()> {
    limits::take(ctx, &SET_UP_STEPS, "all").await?;
    let company = given.company_id.clone().unwrap_or(typed.company_id);
    let api_key = given.api_key.clone().unwrap_or(typed.api_key);
    let client = client(given, &api_key, &company)?;
    check_key(&client).await.map_err(|trouble| Error::Invalid(explained(&trouble)))?;
    let mut tx = ctx.db.begin().await?;
    take_turn(&mut tx).await?;
    let row = row(&mut tx).await?;
    if row.as_ref().is_some_and(|row| row.sealed_webhook_secret.is_some()) {
        return Err(invalid(
            "api_key",
            "The webhook stands, so the keys are in use. To use others, set WHOP_API_KEY and WHOP_COMPANY_ID in the environment.",
        ));
    }
    let id = row.map_or_else(ids::fresh, |row| row.id);
    let sealed = given.api_key.is_none().then(|| {
        let place = Place { table: TABLE, column: "sealed_api_key", row: id };
        ctx.vault.seal(place, api_key.expose_secret().as_bytes())
    });
    sqlx::query!(
        "insert into provider_settings (id, provider, account, sealed_api_key, changed_at) values ($1, 'whop', $2, $3, $4)
        on conflict (id) do update set account = excluded.account, sealed_api_key = excluded.sealed_api_key,
            changed_at = excluded.changed_at",
        id,
        company,
        sealed,
        ctx.now(),
    )
    .execute(&mut *tx)
    .await?;
    let by = by(origin);
    let deed = by.did(What::ProviderKeysStored, About::Thing { kind: "provider", id: "whop" });
    audit::record(&mut tx, &deed.with(Change::none().noted("account", company))).await?;
    Ok(tx.commit().await?)
}

/// What somebody typed, of the right form. Empty where the environment says it.
pub struct Typed {
    api_key: SecretString,
    company_id: String,
}

impl Typed {
    /// Errors: on `api_key` and `company_id`.
    pub fn parse(given: &Given, api_key: &str, company_id: &str) -> Result<Self, FieldErrors> {
        let (api_key, company_id) = (api_key.trim(), company_id.trim());
        let mut errors = FieldErrors::default();
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if given.api_key.is_none() && !(KEY_BYTES.contains(&api_key.len()) && plain(api_key)) {
            errors.add("api_key", "This doesn’t look like an API key. Copy the whole key, from Developer, API keys.");
        }
        let is_company = company_id.starts_with("biz_")
            && company_id.len() <= COMPANY_BYTES_MAX
            && company_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if given.company_id.is_none() && !is_company {
            errors.add("company_id", "A company’s id begins with biz_; it stands in the address of your dashboard.");
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self { api_key: SecretString::from(api_key), company_id: company_id.to_owned() })
    }
}

/// Has Whop make the webhook that leads here, and keeps its secret, which Whop says this once.
///
/// Errors: [`Error::Invalid`] on `webhook`, in words that say what Whop did not like.
pub async fn create_webhook(ctx: &Context, installer: &Installer, origin: &Origin, given: &Given) -> Result<()> {
    limits::take(ctx, &SET_UP_STEPS, "all").await?;
    let keys = keys(ctx, given).await?;
    let (Some(api_key), Some(company)) = (keys.api_key, keys.company_id) else {
        return Err(invalid("webhook", "Store the API key and the company’s id first."));
    };
    if keys.webhook_secret.is_some() {
        return Err(invalid("webhook", "There is a webhook secret already. Nothing was changed."));
    }
    let url = webhook_url(&ctx.public_url);
    let made = ask_for_webhook(ctx, installer, &client(given, &api_key, &company)?, &url).await?;
    let secret = made.webhook_secret.filter(|secret| WebhookSecrets::new(secret.clone(), None).is_ok()).ok_or_else(|| {
        invalid("webhook", &format!("Whop made a webhook, but told no secret of {SECRET_BYTES_MIN} characters or more. Delete it there and try again."))
    })?;
    let mut tx = ctx.db.begin().await?;
    take_turn(&mut tx).await?;
    let row = row(&mut tx).await?;
    if row.as_ref().is_some_and(|row| row.account != company || row.sealed_webhook_secret.is_some()) {
        return Err(invalid("webhook", "Somebody else changed the keys meanwhile. Look at what stands here now."));
    }
    let id = row.map_or_else(ids::fresh, |row| row.id);
    let place = Place { table: TABLE, column: "sealed_webhook_secret", row: id };
    sqlx::query!(
        "insert into provider_settings (id, provider, account, sealed_webhook_secret, webhook_id, changed_at)
        values ($1, 'whop', $2, $3, $4, $5)
        on conflict (id) do update set sealed_webhook_secret = excluded.sealed_webhook_secret,
            webhook_id = excluded.webhook_id, changed_at = excluded.changed_at",
        id,
        company,
        ctx.vault.seal(place, secret.expose_secret().as_bytes()),
        made.id,
        ctx.now(),
    )
    .execute(&mut *tx)
    .await?;
    let by = by(origin);
    let deed = by.did(What::WebhookCreated, About::Thing { kind: "webhook", id: &made.id });
    audit::record(&mut tx, &deed.with(Change::none().noted("version", API_VERSION))).await?;
    Ok(tx.commit().await?)
}

/// The same answer for whoever asks again with the same code: Whop makes one webhook.
async fn ask_for_webhook(ctx: &Context, installer: &Installer, client: &Client, url: &str) -> Result<Endpoint> {
    let events = events(ctx.membership_rule.is_some());
    let new =
        NewEndpoint { url, events: &events, api_version_date: API_VERSION, resource_id: Some(client.company_id()) };
    let named = Sha256::digest(format!("{}\n{url}\n{}", client.company_id(), installer.generation));
    let key = named.iter().fold("webhook-".to_owned(), |key, byte| format!("{key}{byte:02x}"));
    client.create_endpoint(&new, &key).await.map_err(|error| match error {
        WhopError::Api(answer) if answer.status == 401 => invalid("webhook", "Whop refuses the API key. Store another."),
        WhopError::Api(answer) if answer.status == 403 => invalid(
            "webhook",
            "The API key may not make webhooks. Give it developer:manage_webhook, webhook_receive:payments and what docs/operate.md lists.",
        ),
        WhopError::Api(answer) if !answer.is_temporary() => {
            invalid("webhook", &format!("Whop does not make the webhook to {url}: {}", answer.message))
        }
        error => {
            tracing::warn!(%error, "the webhook could not be made");
            invalid("webhook", "Whop doesn’t answer just now. Please try again in a minute.")
        }
    })
}

/// Where Whop's webhooks are to go.
pub fn webhook_url(public_url: &str) -> String {
    format!("{public_url}{}", domain::paths::WHOP_WEBHOOK)
}

/// For questions that a person waits for.
///
/// Errors: [`Error::Invalid`] when what was typed can't be sent at all.
pub fn client(given: &Given, api_key: &SecretString, company_id: &str) -> Result<Client> {
    let settings = Settings {
        api_url: given.api_url.clone(),
        api_key: api_key.clone(),
        company_id: company_id.to_owned(),
        limits: HURRIED,
    };
    Client::new(settings).map_err(|error| invalid("api_key", &error.to_string()))
}

fn explained(trouble: &KeyTrouble) -> FieldErrors {
    match trouble {
        KeyTrouble::Refused => FieldErrors::one(
            "api_key",
            "Whop refuses this key. Copy it whole; keys of Whop’s sandbox work only with WHOP_API_URL set to the sandbox, and the other way round.",
        ),
        KeyTrouble::OtherAccount(account) => {
            FieldErrors::one("company_id", format!("This key belongs to {account}. Type that id, or another key."))
        }
        KeyTrouble::NotAllowed(_) => FieldErrors::one(
            "api_key",
            "Whop knows this key, but it may not read this company’s payments. Check the company’s id and the key’s permissions.",
        ),
        KeyTrouble::Unreachable(_) | KeyTrouble::Odd(_) => {
            tracing::warn!(%trouble, "a key could not be checked at Whop");
            FieldErrors::one(
                "api_key",
                "Whop doesn’t answer just now, so nothing was stored. Please try again in a minute.",
            )
        }
    }
}

fn invalid(field: &str, message: &str) -> Error {
    Error::Invalid(FieldErrors::one(field, message))
}

async fn row(db: &mut PgConnection) -> Result<Option<Row>> {
    Ok(sqlx::query_as!(
        Row,
        "select id, account, sealed_api_key, sealed_webhook_secret from provider_settings where provider = 'whop'",
    )
    .fetch_optional(db)
    .await?)
}

fn open(ctx: &Context, column: &'static str, row: Uuid, sealed: &[u8]) -> Result<SecretString> {
    let opened: SecretSlice<u8> = ctx
        .vault
        .open(Place { table: TABLE, column, row }, sealed)
        .map_err(|sealed| Error::broken(format!("{TABLE}.{column} of row {row}: {sealed}")))?;
    let text = std::str::from_utf8(opened.expose_secret())
        .map_err(|_| Error::broken(format!("{TABLE}.{column} is no text")))?;
    Ok(SecretString::from(text))
}
