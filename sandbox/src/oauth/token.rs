//! `/oauth/token`: a code or a refresh token against fresh tokens. Each works once; a second time ends the grant.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::error::Refused;
use super::{Client, Grant, Lie, Token, id_token, kill};
use crate::api;
use crate::clock::Moment;
use crate::sandbox::Sandbox;
use crate::world::World;

/// Codes are on their way for seconds (RFC 6749, 4.1.2: at most ten minutes).
const CODE_SECONDS: u64 = 60;

/// The body, as JSON or as a form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    grant_type: String,
    client_id: String,
    client_secret: Option<String>,
    code: String,
    redirect_uri: String,
    code_verifier: String,
    refresh_token: String,
}

pub async fn exchange(State(sandbox): State<Sandbox>, headers: HeaderMap, body: Bytes) -> Response {
    let asked = match read(&headers, &body) {
        Ok(asked) => asked,
        Err(refused) => return refused.into_response(),
    };
    let key = sandbox.signing_key();
    let answered = sandbox.change(|world| {
        let client = world.settings.client.clone();
        authenticate(client.as_ref(), &asked)?;
        match asked.grant_type.as_str() {
            "authorization_code" => {
                world.asked.code += 1;
                by_code(world, key, &asked)
            }
            "refresh_token" => {
                world.asked.refresh += 1;
                by_refresh_token(world, &asked)
            }
            _ => Err(Refused("unsupported_grant_type", "grant_type must be authorization_code or refresh_token")),
        }
    });
    match answered {
        Ok(tokens) => ([(header::CACHE_CONTROL, "no-store")], api::ok(&tokens)).into_response(),
        Err(refused) => refused.into_response(),
    }
}

fn read(headers: &HeaderMap, body: &[u8]) -> Result<Asked, Refused> {
    let json = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let unreadable = Refused("invalid_request", "The body is neither JSON nor a form");
    if json {
        return serde_json::from_slice(body).map_err(|_| unreadable);
    }
    let text = std::str::from_utf8(body).map_err(|_| unreadable)?;
    let address = format!("http://form/?{text}").parse().map_err(|_| unreadable)?;
    axum::extract::Query::try_from_uri(&address).map(|axum::extract::Query(asked)| asked).map_err(|_| unreadable)
}

fn authenticate(client: Option<&Client>, asked: &Asked) -> Result<(), Refused> {
    match client {
        Some(Client { id, secret, .. })
            if *id == asked.client_id && (secret.is_none() || *secret == asked.client_secret) =>
        {
            Ok(())
        }
        _ => Err(Refused("invalid_client", "The client is unknown, or its secret is wrong")),
    }
}

fn by_code(world: &mut World, key: &id_token::SigningKey, asked: &Asked) -> Result<serde_json::Value, Refused> {
    const WRONG: Refused = Refused("invalid_grant", "The code is unknown, used, too old, or somebody else's");
    let code = world.codes.get(&asked.code).cloned().ok_or(WRONG)?;
    if let Some(grant) = &code.grant_id {
        kill(world, grant);
        return Err(WRONG);
    }
    let verified = URL_SAFE_NO_PAD.encode(Sha256::digest(&asked.code_verifier)) == code.challenge;
    let old = Moment::now().since(code.created_at).as_secs() > CODE_SECONDS;
    if old || code.redirect_uri != asked.redirect_uri || !verified {
        return Err(WRONG);
    }
    let grant = Grant {
        id: world.ids.fresh("oag_"),
        person_id: code.person_id.clone(),
        scope: code.scope.clone(),
        refreshed: 0,
        revoked: false,
        created_at: Moment::now(),
    };
    if let Some(code) = world.codes.edit(&asked.code) {
        code.grant_id = Some(grant.id.clone());
    }
    world.grants.put(grant.clone());
    let mut tokens = tokens(world, &grant);
    tokens["id_token"] = json!(id_token::issue(key, world, &code));
    Ok(tokens)
}

fn by_refresh_token(world: &mut World, asked: &Asked) -> Result<serde_json::Value, Refused> {
    const WRONG: Refused = Refused("invalid_grant", "The refresh token is unknown, used, too old or revoked");
    let token = world.tokens.get(&asked.refresh_token).filter(|token| token.refreshes).cloned().ok_or(WRONG)?;
    if token.used {
        kill(world, &token.grant_id);
        return Err(WRONG);
    }
    let grant = world.grants.get(&token.grant_id).filter(|grant| !grant.revoked).cloned().ok_or(WRONG)?;
    if world.faults.oauth_lies.contains(&Lie::RefreshExpired) {
        return Err(WRONG);
    }
    if let Some(token) = world.tokens.edit(&asked.refresh_token) {
        token.used = true;
    }
    if let Some(grant) = world.grants.edit(&grant.id) {
        grant.refreshed += 1;
    }
    Ok(tokens(world, &grant))
}

fn tokens(world: &mut World, grant: &Grant) -> serde_json::Value {
    let mut fresh = |prefix, refreshes| {
        let token = format!("{prefix}{}", world.ids.word(40));
        let (grant_id, created_at) = (grant.id.clone(), Moment::now());
        world.tokens.put(Token { token: token.clone(), grant_id, refreshes, used: false, created_at });
        token
    };
    let (access, refresh) = (fresh("oat_", false), fresh("ort_", true));
    json!({
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": world.settings.access_seconds,
        "refresh_token": refresh,
        "scope": grant.scope,
    })
}
