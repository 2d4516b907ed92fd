//! The checkout page: what Whop shows a buyer, with the buttons a tester needs.

pub mod back;
pub mod form;
pub mod view;

use std::time::Duration;

use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use axum::{Router, routing::post};
use serde::Deserialize;

use crate::checkouts::{Checkout, purchase_url};
use crate::payments::card::CHALLENGE_PASSWORD;
use crate::payments::pay::{self, Attempt, Course};
use crate::payments::{Decline, Means, Payment, Status, Verdict, card};
use crate::sandbox::Sandbox;
use crate::world::World;
use form::{CardFields, PayForm};

/// Longest time a buyer watches the page load while their bank decides.
const DECIDED_WITHIN: Duration = Duration::from_mins(1);

pub fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/checkout/{id}", get(show))
        .route("/checkout/{id}/", get(show))
        .route("/checkout/{id}/pay", post(submit).get(reload))
        .route("/checkout/{id}/challenge", get(show_challenge).post(answer_challenge))
        .route("/checkout/{id}/closed", get(closed))
}

#[derive(Deserialize, Default)]
struct Params {
    session: Option<String>,
    /// An open payment to try again.
    payment: Option<String>,
    /// A test card to fill in.
    card: Option<String>,
}

const UNKNOWN: &str = "This checkout does not exist, or what it sold is no longer for sale. Nothing was charged.";

/// A checkout whose plan is still sold.
fn found<'a>(world: &'a World, id: &str) -> Option<&'a Checkout> {
    world.checkouts.get(id).filter(|checkout| world.plans.get(&checkout.plan_id).is_some())
}

async fn show(State(sandbox): State<Sandbox>, Path(id): Path<String>, Query(params): Query<Params>) -> Response {
    let id = params.session.unwrap_or(id);
    sandbox.read(|world| {
        let Some(checkout) = found(world, &id) else { return super::missing(UNKNOWN) };
        let payment = params.payment.and_then(|id| world.payments.get(&id)).filter(|it| it.checkout_id == checkout.id);
        if let Some(done) = payment.filter(|payment| payment.status != Status::Open) {
            return Redirect::to(&back::address(world, done).unwrap_or_else(|| view::done_path(done))).into_response();
        }
        let email = payment.and_then(|payment| world.people.get(&payment.person_id)?.email.clone());
        let card = CardFields::prefilled(params.card.as_deref());
        view::checkout(world, checkout, payment, &email.unwrap_or_default(), &card, StatusCode::OK)
    })
}

/// Somebody reloaded the address of the form.
async fn reload(Path(id): Path<String>) -> Redirect {
    Redirect::to(&format!("/checkout/{id}/"))
}

async fn submit(State(sandbox): State<Sandbox>, Path(id): Path<String>, Form(form): Form<PayForm>) -> Response {
    let Some(checkout) = sandbox.read(|world| found(world, &id).cloned()) else { return super::missing(UNKNOWN) };
    let (means, course) = match form.action.as_str() {
        "close" => return Redirect::to(&format!("/checkout/{id}/closed")).into_response(),
        "debit" => (Means::BankDebit, Course::Pending { settles_by_itself: true }),
        "decline" => {
            (Means::Card(form.any_card()), Course::Decided(Verdict::Declines(Decline::new("card_declined_by_issuer"))))
        }
        _ => match form.card() {
            Ok((card, card::CardAnswer::Decided(verdict))) => (Means::Card(card), Course::Decided(verdict)),
            Ok((card, card::CardAnswer::Challenge)) => (Means::Card(card), Course::Challenge),
            Err(fields) => return refused(&sandbox, &checkout, &form, &fields),
        },
    };
    let refuse_example = sandbox.read(|world| world.faults.refuse_example_emails);
    if let Some(problem) = form.email_problem(refuse_example) {
        return refused(&sandbox, &checkout, &form, &CardFields { email_problem: Some(problem), ..form.typed() });
    }
    if form.action == "twice" {
        let first = form.attempt(&id, means.clone(), Course::Decided(Verdict::Succeeds));
        let second = Attempt { payment_id: None, ..form.attempt(&id, means, Course::Decided(Verdict::Succeeds)) };
        let paid =
            sandbox.change(|world| pay::attempt(world, first).and_then(|id| pay::attempt(world, second).map(|_| id)));
        return onward(&sandbox, &checkout, paid.ok()).await;
    }
    let challenged = matches!(course, Course::Challenge);
    let attempt = form.attempt(&id, means, course);
    let tried = sandbox.change(|world| pay::attempt(world, attempt)).ok();
    match tried {
        Some(payment) if challenged => {
            Redirect::to(&format!("/checkout/{id}/challenge?payment={payment}")).into_response()
        }
        tried => onward(&sandbox, &checkout, tried).await,
    }
}

fn refused(sandbox: &Sandbox, checkout: &Checkout, form: &PayForm, fields: &CardFields) -> Response {
    sandbox.read(|world| {
        let payment = form.payment_id().and_then(|id| world.payments.get(id));
        view::checkout(world, checkout, payment, &form.email, fields, StatusCode::UNPROCESSABLE_ENTITY)
    })
}

/// Waits for the bank, then leads back to the seller, or to the page again if the buyer may try once more.
async fn onward(sandbox: &Sandbox, checkout: &Checkout, payment_id: Option<String>) -> Response {
    let again = sandbox.read(|world| purchase_url(world, checkout));
    // What was submitted twice, or after it was decided, is shown as it stands.
    let Some(id) = payment_id else { return see_other(&again) };
    let decided = sandbox.wait_for(DECIDED_WITHIN.max(sandbox.settings().settle * 2), |world| {
        world.payments.get(&id).filter(|it| it.status != Status::Open || it.due.is_none()).cloned()
    });
    match decided.await {
        Some(payment) if payment.status != Status::Open => see_other(
            &sandbox.read(|world| back::address(world, &payment)).unwrap_or_else(|| view::done_path(&payment)),
        ),
        _ => see_other(&with_payment(&again, &id)),
    }
}

fn see_other(address: &str) -> Response {
    Redirect::to(address).into_response()
}

fn with_payment(url: &str, payment_id: &str) -> String {
    format!("{url}{}payment={payment_id}", if url.contains('?') { '&' } else { '?' })
}

#[derive(Deserialize)]
struct ChallengeForm {
    payment: String,
    #[serde(default)]
    password: String,
}

async fn show_challenge(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Query(params): Query<Params>,
) -> Response {
    sandbox.read(|world| {
        let payment = params.payment.and_then(|payment| world.payments.get(&payment));
        let payment = payment.filter(|payment| payment.checkout_id == id && payment.challenged);
        payment.map_or_else(
            || super::missing("There is nothing to confirm here."),
            |payment| view::challenge(world, payment),
        )
    })
}

async fn answer_challenge(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Form(form): Form<ChallengeForm>,
) -> Response {
    let Some(checkout) = sandbox.read(|world| found(world, &id).cloned()) else { return super::missing(UNKNOWN) };
    let passed = form.password == CHALLENGE_PASSWORD;
    let own = sandbox.read(|world| world.payments.get(&form.payment).is_some_and(|it: &Payment| it.checkout_id == id));
    let answered = own && sandbox.change(|world| pay::answer_challenge(world, &form.payment, passed)).is_ok();
    onward(&sandbox, &checkout, answered.then_some(form.payment)).await
}

async fn closed(State(sandbox): State<Sandbox>, Path(id): Path<String>, Query(params): Query<Params>) -> Response {
    sandbox.read(|world| match world.checkouts.get(&id) {
        Some(checkout) => view::closed(world, checkout, params.payment.and_then(|id| world.payments.get(&id))),
        None => super::missing(UNKNOWN),
    })
}
