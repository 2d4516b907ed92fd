//! What somebody has and owes, in lots with their expiry.

use atlas::ledger::balance::Balance as Amounts;
use atlas::people::desk::Lot;
use domain::{Credits, paths};
use leptos::prelude::*;

use crate::parts::records::{Column, Record, Records};
use crate::parts::small::Moment;
use crate::words;

#[component]
pub fn Balance(balance: Amounts, lots: Vec<Lot>) -> impl IntoView {
    let ends = lots.iter().filter_map(|lot| Some((lot.expires_at?, lot.remaining))).min();
    let owes = balance.debt > Credits::ZERO;
    view! {
        <section class="figure" aria-labelledby="balance-title">
            <h2 id="balance-title">"Balance"</h2>
            <dl class="facts">
                <div>
                    <dt>"Can spend now"</dt>
                    <dd class="figures-value">{format!("{} credits", balance.available())}</dd>
                </div>
                {(balance.held > Credits::ZERO).then(|| view! {
                    <div><dt>"Held"</dt><dd>{format!("{} credits", balance.held)}</dd></div>
                })}
                {owes.then(|| view! {
                    <div>
                        <dt>"Owes"</dt>
                        <dd>{format!("{} credits. What comes in repays them first.", balance.debt)}</dd>
                    </div>
                })}
                <div>
                    <dt>"Ends next"</dt>
                    <dd>
                        {match ends {
                            Some((at, credits)) => view! { {format!("{credits} credits, ")}<Moment at /> }.into_any(),
                            None => "Nothing ends by itself".into_any(),
                        }}
                    </dd>
                </div>
            </dl>
        </section>
    }
}

#[component]
pub fn Lots(lots: Vec<Lot>) -> impl IntoView {
    const COLUMNS: &[Column] = &[
        Column::Text("Origin"),
        Column::Number("Left"),
        Column::Number("Held"),
        Column::Text("Expires"),
        Column::Text("Order"),
    ];
    let records = lots.into_iter().map(|lot| {
        Record::from(vec![
            words::lot_source(lot.source).into_any(),
            lot.remaining.to_string().into_any(),
            (lot.held > Credits::ZERO).then(|| lot.held.to_string()).into_any(),
            match lot.expires_at {
                Some(at) => view! { <Moment at /> }.into_any(),
                None => "never".into_any(),
            },
            lot.order.map(|order| view! { <a href=paths::admin_order(order)>{order.short()}</a> }).into_any(),
        ])
    });
    view! {
        <Records id="lots-title" title="What is left, in the order of spending" columns=COLUMNS records=records.collect()
            none="There are no credits in the wallet." />
    }
}
