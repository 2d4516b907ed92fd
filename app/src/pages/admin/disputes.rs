//! Disputes: which have to be answered by when, and how the others ended.

use atlas::Result;
use atlas::orders::disputes::{self, Listed};
use atlas::people::roles::Support;
use domain::paths;
use leptos::prelude::*;
use leptos_meta::Title;

use super::for_staff;
use crate::parts::records::{Column, Record, Records};
use crate::parts::small::{Badge, Moment};
use crate::request::Request;
use crate::words;

const COLUMNS: &[Column] = &[
    Column::Text("Dispute"),
    Column::Text("State"),
    Column::Number("Amount"),
    Column::Text("Buyer"),
    Column::Text("Answer by"),
    Column::Text("Last heard of"),
];

#[component]
pub fn Disputes() -> impl IntoView {
    view! { <Suspense>{Suspend::new(for_staff(draw))}</Suspense> }
}

async fn draw(request: Request, support: Support) -> Result<AnyView> {
    let db = &request.ctx().db;
    let open = disputes::open(db, &support).await?;
    let decided = disputes::decided(db, &support).await?;
    Ok(view! {
        <Title text="Disputes · Atlas Credits" />
        <main id="main" class="page">
            <div class="page-head">
                <div>
                    <h1>"Disputes"</h1>
                    <p class="page-lead">
                        "The unspent credits of a disputed payment are held until the bank has decided. Evidence is sent at the provider."
                    </p>
                </div>
            </div>
            <Records id="open-title" title="To be answered, the next deadline first" columns=COLUMNS records=records(open)
                none="No dispute is open." />
            <Records id="decided-title" title="Decided, the latest first" columns=COLUMNS records=records(decided) />
        </main>
    }
    .into_any())
}

fn records(disputes: Vec<Listed>) -> Vec<Record> {
    let record = |dispute: Listed| {
        let (state, tone) = words::dispute_state(dispute.state);
        Record::from(vec![
            view! { <a href=paths::admin_order(dispute.order)>{dispute.id}</a> }.into_any(),
            view! { <Badge words=state tone /> }.into_any(),
            dispute.amount.map(|amount| amount.to_string()).into_any(),
            view! { <bdi>{dispute.buyer_email}</bdi> }.into_any(),
            dispute.respond_by.map(|at| view! { <Moment at /> }).into_any(),
            view! { <Moment at=dispute.changed_at /> }.into_any(),
        ])
    };
    disputes.into_iter().map(record).collect()
}
