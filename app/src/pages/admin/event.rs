//! One event: what was said, what we made of it, and what an admin can do about it.

use atlas::events::desk::{self, Whole};
use atlas::events::link::LINKABLE;
use atlas::people::roles::Support;
use atlas::{Error, Result};
use domain::{Role, paths};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;

use super::for_staff;
use crate::actions::admin::events::{DISMISS_FORM, DismissEvent, LINK_FORM, LinkEvent, ReplayEvent};
use crate::flash::{self, Form, form_of};
use crate::pages::param;
use crate::parts::field::{ErrorSummary, TextField};
use crate::parts::notice::FlashNotice;
use crate::parts::small::{Badge, CopyableId, Moment};
use crate::request::Request;
use crate::words;

#[component]
pub fn EventPage() -> impl IntoView {
    let id = param("id");
    let page = for_staff(move |request, support| draw(request, support, id));
    view! { <Suspense>{Suspend::new(page)}</Suspense> }
}

async fn draw(request: Request, support: Support, id: String) -> Result<AnyView> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let event = desk::open(&request.ctx().db, &support, id).await?;
    let flash = flash::take(&request).await?;
    let form = form_of(flash.as_ref(), DISMISS_FORM);
    let (state, tone) = words::event_state(&event.listed.state);
    let may_act = support.person().role() >= Role::Admin;
    let stuck = matches!(event.listed.state.as_str(), "quarantined" | "parked" | "waiting");
    let linkable = event.listed.state == "quarantined" && event.listed.reason.as_deref() == Some(LINKABLE);
    let link_form = form_of(flash.as_ref(), LINK_FORM);
    let body = written(&event.body);
    let headers = headers(&event);
    Ok(view! {
        <Title text="Event · Atlas Credits" />
        <main id="main" class="page">
            <div class="page-head">
                <div>
                    <h1>{event.listed.kind.clone()}</h1>
                    <p class="page-lead"><Badge words=state tone /></p>
                </div>
            </div>
            <FlashNotice flash />
            <Facts event />
            {(may_act && linkable).then(|| view! { <Link id=id.to_string() form=link_form /> })}
            {(may_act && stuck).then(|| view! { <Deeds id=id.to_string() form /> })}
            <section class="stack" aria-labelledby="headers-title">
                <h2 id="headers-title">"Its headers"</h2>
                <pre class="raw" tabindex="0"><code>{headers}</code></pre>
            </section>
            <section class="stack" aria-labelledby="body-title">
                <h2 id="body-title">"What was signed"</h2>
                {match body {
                    Some(body) => view! { <pre class="raw" tabindex="0"><code>{body}</code></pre> }.into_any(),
                    None => view! { <p class="muted">"It came more than 13 months ago, so what it said is forgotten."</p> }
                        .into_any(),
                }}
            </section>
        </main>
    }
    .into_any())
}

#[component]
fn Facts(event: Whole) -> impl IntoView {
    let Whole { listed, event_id, order, attempts, decided_at, secret, signed_at, .. } = event;
    view! {
        <section class="stack" aria-labelledby="facts-title">
            <h2 id="facts-title">"What became of it"</h2>
            <dl class="facts">
                <div><dt>"Message"</dt><dd><CopyableId id=event_id what="message’s id" /></dd></div>
                {listed.object_id.map(|id| view! { <div><dt>"About"</dt><dd><CopyableId id what="id" /></dd></div> })}
                {listed.reason.map(|reason| view! { <div><dt>"Why"</dt><dd>{reason.replace('_', " ")}</dd></div> })}
                {order.map(|order| view! {
                    <div><dt>"Order"</dt><dd><a href=paths::admin_order(order)>{order.short()}</a></dd></div>
                })}
                <div><dt>"From"</dt><dd>{listed.provider.title()}", signed with the "{secret}" secret"</dd></div>
                {signed_at.map(|at| view! { <div><dt>"Signed"</dt><dd><Moment at /></dd></div> })}
                <div><dt>"Came"</dt><dd><Moment at=listed.received_at /></dd></div>
                {decided_at.map(|at| view! { <div><dt>"Decided"</dt><dd><Moment at /></dd></div> })}
                <div><dt>"Tries"</dt><dd>{attempts}</dd></div>
            </dl>
        </section>
    }
}

#[component]
fn Deeds(id: String, form: Form) -> impl IntoView {
    view! {
        <section class="stack" aria-labelledby="deeds-title">
            <h2 id="deeds-title">"What can be done"</h2>
            <form class="stack" method="post" action=ReplayEvent::PATH>
                <input r#type="hidden" name="event" value=id.clone() />
                <p>"Once its cause is mended, apply it again. That is harmless for what was dealt with before."</p>
                <div><button class="button button--primary" r#type="submit">"Apply again"</button></div>
            </form>
            <ErrorSummary form=form.clone() />
            <form class="form" method="post" action=DismissEvent::PATH>
                <input r#type="hidden" name="event" value=id />
                <TextField form name="reason" label="Why it will never be applied" autocomplete="off"
                    help="Kept in the audit. Putting it away moves nothing; the daily check still finds the payment." />
                <div class="form-foot"><button class="button" r#type="submit">"Put it away"</button></div>
            </form>
        </section>
    }
}

/// For a payment that names no order of ours.
#[component]
fn Link(id: String, form: Form) -> impl IntoView {
    view! {
        <section class="stack" aria-labelledby="link-title">
            <h2 id="link-title">"Which order it pays"</h2>
            <p>"If you know that this payment is of an order, link the two: it must have been sold for just what was paid."</p>
            <ErrorSummary form=form.clone() prefix="link-" />
            <form class="form" method="post" action=LinkEvent::PATH>
                <input r#type="hidden" name="event" value=id />
                <TextField form=form.clone() prefix="link-" name="order" label="Order id" autocomplete="off"
                    help="As it stands on the order’s page. Its buyer gets the credits." />
                <TextField form prefix="link-" name="reason" label="How you know" autocomplete="off" help="Kept in the audit." />
                <div class="form-foot"><button class="button" r#type="submit">"Link to the order"</button></div>
            </form>
        </section>
    }
}

/// Those that the signature is about (Standard Webhooks). Who had the signature could send the message again for five minutes, so
/// it is never kept.
fn headers(event: &Whole) -> String {
    let Whole { event_id, secret, .. } = event;
    let timestamp = event.signed_at.map_or_else(|| "not kept".to_owned(), |at| at.unix_timestamp().to_string());
    format!(
        "webhook-id: {event_id}\nwebhook-timestamp: {timestamp}\nwebhook-signature: v1,… (not kept; made with the {secret} secret)"
    )
}

/// The body with lines and indents, if it is JSON; as it is otherwise. None: it is forgotten.
fn written(body: &[u8]) -> Option<String> {
    if body.is_empty() {
        return None;
    }
    let read: Result<serde_json::Value, _> = serde_json::from_slice(body);
    let pretty = read.ok().and_then(|value| serde_json::to_string_pretty(&value).ok());
    Some(pretty.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()))
}
