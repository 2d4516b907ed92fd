//! Writing something down about a person or an order.

use atlas::notes::{self, About, Text};
use atlas::{Error, Result};
use domain::{FieldErrors, paths};
use leptos::prelude::*;

use crate::actions::answer;
use crate::flash::{self, Flash, Form};
use crate::request::Request;

pub const NOTE_FORM: &str = "note";

#[server(prefix = "/do/admin", endpoint = "add-note")]
pub async fn add_note(about: String, id: String, text: String) -> Result<(), ServerFnError> {
    let Ok(request) = Request::current() else { return Ok(()) };
    let form = Form::new(NOTE_FORM, &[("text", &text)], FieldErrors::default());
    let about = named(&about, &id);
    let page = about.map_or_else(|| paths::ADMIN.to_owned(), page_of);
    let outcome = add(&request, about, &text).await;
    answer(&request, &page, form, outcome).await;
    Ok(())
}

async fn add(request: &Request, about: Option<About>, text: &str) -> Result<String> {
    let support = request.support().await?;
    let about = about.ok_or(Error::NotFound)?;
    let text = Text::parse("text", text).map_err(Error::Invalid)?;
    notes::add(request.ctx(), &support, &request.origin(), about, &text).await?;
    flash::leave(request, Flash::Done("The note is written down.".to_owned())).await?;
    Ok(page_of(about))
}

fn named(about: &str, id: &str) -> Option<About> {
    match about {
        "person" => id.parse().ok().map(About::Person),
        "order" => id.parse().ok().map(About::Order),
        _ => None,
    }
}

fn page_of(about: About) -> String {
    match about {
        About::Person(person) => paths::admin_person(person),
        About::Order(order) => paths::admin_order(order),
    }
}
