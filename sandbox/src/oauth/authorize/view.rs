//! How the page of consent looks.

use axum::http::StatusCode;
use axum::response::Response;
use maud::html;

use super::Asked;
use crate::pages::layout;
use crate::world::World;

/// People to choose from; whoever is not among them types an address.
const PEOPLE_MAX: usize = 8;

pub fn consent(world: &World, asked: &Asked, status: StatusCode) -> Response {
    let people: Vec<_> = world.people.newest().filter(|person| !person.is_owner).take(PEOPLE_MAX).collect();
    let hidden = [
        ("response_type", &asked.response_type),
        ("client_id", &asked.client_id),
        ("redirect_uri", &asked.redirect_uri),
        ("scope", &asked.scope),
        ("state", &asked.state),
        ("nonce", &asked.nonce),
        ("code_challenge", &asked.code_challenge),
        ("code_challenge_method", &asked.code_challenge_method),
    ];
    let body = html! {
        main class="note" {
            h1 { "Sign in with Whop" }
            p { strong { (world.settings.company_title) } " wants to know who you are: "
                code { (asked.scope) } "." }
            form method="post" action="/oauth/authorize" {
                @for (name, value) in hidden { input type="hidden" name=(name) value=(value); }
                @if status != StatusCode::OK { p class="problem" role="alert" { "Choose a person, or enter an address." } }
                @if !people.is_empty() {
                    fieldset class="people" {
                        legend { "As" }
                        @for (place, person) in people.iter().enumerate() {
                            label {
                                input type="radio" name="person" value=(person.id) checked[place == 0];
                                " " (person.username) " "
                                span class="soft" { (person.email.as_deref().unwrap_or("no address")) }
                            }
                        }
                    }
                }
                div class="field" {
                    label for="email" { @if people.is_empty() { "As" } @else { "Or as somebody else" } span { "any address" } }
                    input id="email" name="email" type="email" autocomplete="off" placeholder="ana@example.com";
                }
                button class="primary" name="decision" value="allow" { "Allow" }
                button class="outlined" name="decision" value="deny" formnovalidate { "Cancel" }
            }
        }
    };
    layout::page(status, "Sign in with Whop", &html! {}, &body)
}

pub fn refused(why: &str) -> Response {
    let body = html! { main class="note" { h1 { "This can’t be allowed" } p { (why) } } };
    layout::page(StatusCode::BAD_REQUEST, "Not allowed", &html! {}, &body)
}
