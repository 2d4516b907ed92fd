//! Who asks for JSON: a person by their session's cookie, or, to read what is everybody's, a program by its key. A key is no
//! person, so nothing is changed by one here; and beside a key no cookie counts.

use std::sync::Arc;

use app::request::{Request, Site};
use atlas::api_keys::reader::Reader;
use atlas::api_keys::secret::KeyHash;
use atlas::people::SignedIn;
use atlas::people::fresh::Fresh;
use atlas::people::roles::{Admin, ReadsOrders, ReadsPlans, Support};
use domain::paths;
use http::header::AUTHORIZATION;
use http::request::Parts;

use super::credentials;
use super::problem::Problem;
use crate::meter::Meter;

/// What these routes work with.
#[derive(Clone)]
pub struct Door {
    pub site: Arc<Site>,
    /// How often a key is used.
    pub meter: Arc<Meter<KeyHash>>,
}

/// Whoever is signed in.
pub async fn person(door: &Door, parts: &Parts) -> Result<(Request, SignedIn), Problem> {
    if parts.headers.contains_key(AUTHORIZATION) {
        return Err(Problem::TakesAPerson);
    }
    let request = Request::of(&door.site, Some(parts));
    let person = request.person().await?.ok_or(Problem::NotSignedIn)?;
    Ok((request, person))
}

pub async fn admin(door: &Door, parts: &Parts) -> Result<(Request, Admin), Problem> {
    let (request, person) = person(door, parts).await?;
    let admin = Admin::prove(person).map_err(|_| Problem::Forbidden)?;
    Ok((request, admin))
}

/// Proof that they confirmed a moment ago that it is them. `page`: where they are led back to.
pub async fn fresh(request: &Request, admin: &Admin, page: &str) -> Result<Fresh, Problem> {
    let fresh = request.fresh(admin.person()).await?;
    fresh.ok_or_else(|| Problem::ConfirmFirst {
        confirm_at: format!("{}{}", request.ctx().public_url, paths::confirm(page)),
    })
}

pub async fn reads_orders(door: &Door, parts: &Parts) -> Result<Box<dyn ReadsOrders>, Problem> {
    if let Some(reader) = program(door, parts).await? {
        return Ok(Box::new(reader));
    }
    let (_, person) = person(door, parts).await?;
    Ok(Box::new(Support::prove(person).map_err(|_| Problem::Forbidden)?))
}

pub async fn reads_plans(door: &Door, parts: &Parts) -> Result<Box<dyn ReadsPlans>, Problem> {
    if let Some(reader) = program(door, parts).await? {
        return Ok(Box::new(reader));
    }
    let (_, admin) = admin(door, parts).await?;
    Ok(Box::new(admin))
}

/// The program whose key was sent; none, if there was none.
async fn program(door: &Door, parts: &Parts) -> Result<Option<Reader>, Problem> {
    if !parts.headers.contains_key(AUTHORIZATION) {
        return Ok(None);
    }
    let key = credentials::key(&parts.headers)?;
    door.meter.take(&key).map_err(|empty| Problem::KeyTooBusy { seconds: empty.seconds })?;
    Ok(Some(Reader::prove(&door.site.ctx, key).await?))
}
