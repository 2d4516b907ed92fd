//! `/oauth/authorize`: who asks for what, and the page on which a person allows it or not. What is wrong with the client or
//! its address is said here; everything else is said to the client.

mod view;

use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::error::Refused;
use super::{Client, Code, Lie};
use crate::clock::Moment;
use crate::people;
use crate::sandbox::Sandbox;
use crate::world::World;

/// What a client asks with.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    response_type: String,
    client_id: String,
    redirect_uri: String,
    scope: String,
    state: String,
    nonce: String,
    code_challenge: String,
    code_challenge_method: String,
}

/// What a person answers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Answer {
    #[serde(flatten)]
    asked: Asked,
    decision: String,
    /// Somebody known here.
    person: String,
    /// Or somebody new.
    email: String,
}

impl Asked {
    fn problem(&self) -> Option<Refused> {
        let openid = self.scope.split(' ').any(|scope| scope == "openid");
        let challenge = (43..=128).contains(&self.code_challenge.len());
        if self.response_type != "code" {
            Some(Refused("unsupported_response_type", "response_type must be code"))
        } else if !openid {
            Some(Refused("invalid_scope", "scope must hold openid"))
        } else if self.nonce.is_empty() {
            Some(Refused("invalid_request", "nonce is required with openid"))
        } else if self.code_challenge_method != "S256" || !challenge {
            Some(Refused("invalid_request", "code_challenge with the method S256 is required"))
        } else {
            None
        }
    }

    fn back(&self, parameters: &[(&str, &str)]) -> Response {
        let mut address = self.redirect_uri.clone();
        let state = [("state", self.state.as_str())];
        let state = if self.state.is_empty() { &[][..] } else { &state[..] };
        for (name, value) in parameters.iter().chain(state) {
            address.push(if address.contains('?') { '&' } else { '?' });
            address.extend([name, "=", &escaped(value)]);
        }
        Redirect::to(&address).into_response()
    }

    fn refuse(&self, Refused(error, description): Refused) -> Response {
        self.back(&[("error", error), ("error_description", description)])
    }
}

pub async fn show(State(sandbox): State<Sandbox>, Query(asked): Query<Asked>) -> Response {
    if let Some(page) = refused(&sandbox, &asked) {
        return page;
    }
    match asked.problem() {
        Some(refused) => asked.refuse(refused),
        None => sandbox.read(|world| view::consent(world, &asked, StatusCode::OK)),
    }
}

pub async fn decide(State(sandbox): State<Sandbox>, Form(answer): Form<Answer>) -> Response {
    let mut asked = answer.asked.clone();
    if let Some(page) = refused(&sandbox, &asked) {
        return page;
    }
    let lies = sandbox.read(|world| world.faults.oauth_lies.clone());
    if lies.contains(&Lie::State) {
        asked.state = asked.state.chars().rev().collect();
    }
    if lies.contains(&Lie::NoState) {
        asked.state.clear();
    }
    if let Some(refused) = asked.problem() {
        return asked.refuse(refused);
    }
    if answer.decision != "allow" {
        return asked.refuse(Refused("access_denied", "The person said no"));
    }
    let code = sandbox.change(|world| {
        let person_id = person(world, &answer)?;
        let used =
            lies.contains(&Lie::Code).then(|| world.codes.newest().find(|code| code.grant_id.is_some())).flatten();
        if let Some(used) = used {
            return Some(used.code.clone());
        }
        let code = Code {
            code: world.ids.fresh("oac_"),
            redirect_uri: asked.redirect_uri.clone(),
            person_id,
            scope: asked.scope.clone(),
            nonce: Some(asked.nonce.clone()),
            challenge: asked.code_challenge.clone(),
            grant_id: None,
            created_at: Moment::now(),
        };
        world.codes.put(code.clone());
        Some(code.code)
    });
    match code {
        Some(code) => asked.back(&[("code", &code)]),
        None => sandbox.read(|world| view::consent(world, &asked, StatusCode::UNPROCESSABLE_ENTITY)),
    }
}

/// The client, or a page: to an address that is not its own nobody is sent.
fn refused(sandbox: &Sandbox, asked: &Asked) -> Option<Response> {
    match &sandbox.settings().client {
        Some(Client { id, redirect_uri, .. }) if *id == asked.client_id && *redirect_uri == asked.redirect_uri => None,
        Some(client) if client.id == asked.client_id => Some(view::refused("This address is not the client's own.")),
        _ => Some(view::refused("This client is not known here.")),
    }
}

fn person(world: &mut World, answer: &Answer) -> Option<String> {
    let email = answer.email.trim();
    if email.contains('@') {
        return Some(people::visitor(world, Some(email)).id);
    }
    world.people.get(&answer.person).map(|person| person.id.clone())
}

fn escaped(text: &str) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if safe(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
