//! Notes about a person or an order, and the form that adds one.

use atlas::notes::{About, Note};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use super::field::ErrorSummary;
use super::folded::Folded;
use super::small::Moment;
use super::text_area::TextArea;
use crate::actions::admin::notes::{AddNote, NOTE_FORM};
use crate::flash::{Flash, form_of};

#[component]
pub fn Notes(about: About, notes: Vec<Note>, flash: Option<Flash>) -> impl IntoView {
    let form = form_of(flash.as_ref(), NOTE_FORM);
    let (kind, id) = match about {
        About::Person(person) => ("person", person.to_string()),
        About::Order(order) => ("order", order.to_string()),
    };
    let written: Vec<_> = notes
        .into_iter()
        .map(|note| {
            view! {
                <li>
                    {match note.text {
                        Some(text) => view! { <bdi class="note">{text}</bdi> }.into_any(),
                        None => view! { <span class="muted">"Forgotten with the person"</span> }.into_any(),
                    }}
                    <p class="muted"><bdi>{note.author}</bdi>", "<Moment at=note.at /></p>
                </li>
            }
        })
        .collect();
    view! {
        <section class="stack" aria-labelledby="notes-title">
            <h2 id="notes-title">"Notes"</h2>
            {if written.is_empty() {
                view! { <p class="muted">"Nobody has written one."</p> }.into_any()
            } else {
                view! { <ul class="list notes">{written}</ul> }.into_any()
            }}
            <Folded title="Write a note" open=form.came_back()>
                <ErrorSummary form=form.clone() />
                <form class="form" method="post" action=AddNote::PATH>
                    <input r#type="hidden" name="about" value=kind />
                    <input r#type="hidden" name="id" value=id />
                    <TextArea form name="text" label="A note for the others" required=true
                        help="Whoever looks after Atlas reads it. It can’t be changed afterwards." />
                    <div class="form-foot"><button class="button" r#type="submit">"Add the note"</button></div>
                </form>
            </Folded>
        </section>
    }
}
