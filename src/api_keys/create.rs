//! Making a key. It is shown once and then forgotten.

use domain::{ApiKeyId, FieldErrors};
use secrecy::SecretString;

use super::Scope;
use super::secret::FreshKey;
use crate::audit::{self, About, By, Change, What};
use crate::{Context, Result, ids};

const NAME_CHARS_MAX: usize = 100;
const APP_CHARS_MAX: usize = 40;

/// A key to be made.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    name: String,
    app: String,
    scopes: Vec<Scope>,
}

impl NewApiKey {
    /// `name` says who holds it, 1 to 100 characters. `app` says where its spends are booked: small letters, digits and
    /// dashes, a letter first, at most 40; several keys may share it.
    pub fn parse(name: &str, app: &str, scopes: Vec<Scope>) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
            errors.add("name", format!("Give it a name of 1 to {NAME_CHARS_MAX} characters."));
        }
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let starts_well = app.bytes().next().is_some_and(|first| first.is_ascii_lowercase());
        if !starts_well || app.len() > APP_CHARS_MAX || !app.bytes().all(plain) {
            errors.add("app", "Use small letters, digits and dashes, a letter first, 40 at most.");
        }
        if scopes.is_empty() {
            errors.add("scope", "Name at least one scope.");
        }
        if errors.is_empty() { Ok(Self { name: name.to_owned(), app: app.to_owned(), scopes }) } else { Err(errors) }
    }
}

/// A key that was made.
#[derive(Debug)]
pub struct Created {
    pub id: ApiKeyId,
    /// The only time that anybody sees it.
    pub key: SecretString,
    /// The system account that its spends are booked against.
    pub counter: String,
}

/// Makes the key, and its application's system account where there is none.
pub async fn create(ctx: &Context, by: &By<'_>, new: &NewApiKey) -> Result<Created> {
    let (id, fresh) = (ApiKeyId::from_uuid(ids::fresh()), FreshKey::make());
    let scopes: Vec<String> = new.scopes.iter().map(ToString::to_string).collect();
    let mut tx = ctx.db.begin().await?;
    let counter = sqlx::query_scalar!(r#"select credits_open_application($1) as "counter!""#, new.app)
        .fetch_one(&mut *tx)
        .await?;
    sqlx::query!(
        "insert into api_keys (id, name, hash, prefix, scopes, counter, created_at) values ($1, $2, $3, $4, $5, $6, $7)",
        id as ApiKeyId,
        new.name,
        fresh.hash.bytes(),
        fresh.prefix,
        &scopes,
        counter,
        ctx.now(),
    )
    .execute(&mut *tx)
    .await?;
    let change = Change::none()
        .noted("name", new.name.as_str())
        .noted("scopes", scopes)
        .noted("begins", fresh.prefix.as_str())
        .noted("booked", counter.as_str());
    audit::record(&mut tx, &by.did(What::KeyCreated, About::Key(id)).with(change)).await?;
    tx.commit().await?;
    Ok(Created { id, key: fresh.text, counter })
}
