//! Work that was tried as often as it may be, and waits for somebody.

use atlas::jobs::list::Waiting;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::actions::admin::jobs::RetryJob;
use crate::parts::records::{Column, Record, Records};
use crate::parts::small::Moment;

#[component]
pub fn Jobs(parked: Vec<Waiting>, may_act: bool) -> impl IntoView {
    const COLUMNS: &[Column] = &[
        Column::Text("Job"),
        Column::Text("Error"),
        Column::Number("Tries"),
        Column::Text("Since"),
        Column::Text("What can be done"),
    ];
    let records = parked.into_iter().map(|job| {
        let again = format!("Try again: job {}", job.id);
        Record::from(vec![
            view! { {job.kind.replace('_', " ")}<span class="muted">{format!(" #{}", job.id)}</span> }.into_any(),
            job.error.map(|error| view! { <code class="change">{error}</code> }).into_any(),
            job.tries.to_string().into_any(),
            view! { <Moment at=job.created_at /> }.into_any(),
            may_act
                .then(|| {
                    view! {
                        <form method="post" action=RetryJob::PATH>
                            <input r#type="hidden" name="job" value=job.id.to_string() />
                            <button class="button" r#type="submit" aria-label=again>"Try again"</button>
                        </form>
                    }
                })
                .into_any(),
        ])
    });
    view! {
        <Records id="jobs-title" title="Jobs that gave up" columns=COLUMNS records=records.collect()
            none="No job has given up." />
    }
}
