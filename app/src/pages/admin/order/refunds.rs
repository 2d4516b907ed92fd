//! The refunds that were asked for here, and how far each has come.

use atlas::orders::refund::list::Request;
use domain::{PersonId, RefundRequestState, RefundState};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::actions::admin::refunds::WithdrawRefund;
use crate::parts::records::{Column, Record, Records};
use crate::parts::small::{Badge, Moment};
use crate::words;

#[component]
pub fn RefundsAskedFor(requests: Vec<Request>, me: PersonId) -> impl IntoView {
    const COLUMNS: &[Column] = &[
        Column::Text("Refund"),
        Column::Text("State"),
        Column::Text("Why"),
        Column::Text("Asked for by"),
        Column::Text("When"),
    ];
    let records = requests.into_iter().map(|request| {
        let (state, tone) = words::refund_request(request.state, request.refund.as_ref().map(|(_, state)| *state));
        let under = view! { <Under request=request.clone() me /> }.into_any();
        Record {
            cells: vec![
                request.amount.to_string().into_any(),
                view! { <Badge words=state tone /> }.into_any(),
                view! { <bdi>{request.reason}</bdi> }.into_any(),
                view! { <bdi>{request.asked_by}</bdi> }.into_any(),
                view! { <Moment at=request.created_at /> }.into_any(),
            ],
            under: Some(under),
        }
    });
    view! { <Records id="refunds-title" title="Refunds asked for" columns=COLUMNS records=records.collect() /> }
}

/// What the state means, and what can be done.
#[component]
fn Under(request: Request, me: PersonId) -> impl IntoView {
    let mine = request.asked_by_id == me && request.state == RefundRequestState::Waiting;
    view! {
        <p class="muted">{explained(&request)}</p>
        {mine.then(|| view! {
            <form method="post" action=WithdrawRefund::PATH>
                <input r#type="hidden" name="request_id" value=request.id.to_string() />
                <button class="button" r#type="submit">"Withdraw"</button>
            </form>
        })}
    }
}

fn explained(request: &Request) -> String {
    let second = request.decided_by.as_deref().unwrap_or("an admin");
    let why = request.refusal.clone().unwrap_or_default();
    match (&request.refund, request.state) {
        (Some((id, RefundState::Succeeded)), _) => format!("{id}: the money went back, and the credits with it."),
        (Some((id, RefundState::Failed)), _) => {
            format!(
                "{id}: the money came back to us, so the credits are the buyer’s again. Ask the buyer for another way to pay."
            )
        }
        (Some((id, RefundState::Canceled)), _) => format!("{id}: called off at the provider. Nothing was paid back."),
        (Some((id, RefundState::RequiresAction)), _) => {
            format!("{id}: the provider waits for the buyer, for instance for a bank account.")
        }
        (Some((id, RefundState::Pending)), _) => {
            format!("{id}: under way. What is unspent of the credits is held; it takes some days at most banks.")
        }
        (None, RefundRequestState::Waiting) => "Another admin confirms or declines it under Approvals.".to_owned(),
        (None, RefundRequestState::Wanted) => {
            format!("Told {} times without an answer. It is told again by itself, and pays once.", request.tries)
        }
        (None, RefundRequestState::Sent) => "The provider took it. It settles there, and then shows here.".to_owned(),
        (None, RefundRequestState::Refused) => why,
        (None, RefundRequestState::Declined) => format!("Declined by {second}: {why}"),
        (None, RefundRequestState::Withdrawn) => "Taken back by whoever asked. Nothing was paid back.".to_owned(),
    }
}
