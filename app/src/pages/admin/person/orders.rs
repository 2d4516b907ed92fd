//! What somebody ordered: what of it is not decided yet, and the last ones whatever became of them.

use atlas::orders::list::Listed;
use domain::paths;
use leptos::prelude::*;

use crate::parts::records::{Column, Record, Records};
use crate::parts::small::{Badge, Moment};
use crate::words;

const COLUMNS: &[Column] = &[
    Column::Text("Order"),
    Column::Text("Plan"),
    Column::Number("Credits"),
    Column::Number("Price"),
    Column::Text("State"),
    Column::Text("Made"),
];

#[component]
pub fn OpenOrders(orders: Vec<Listed>) -> impl IntoView {
    view! {
        <Records id="open-orders-title" title="Open orders" columns=COLUMNS records=records(orders)
            none="No order of theirs waits for anything." />
    }
}

#[component]
pub fn LastOrders(orders: Vec<Listed>) -> impl IntoView {
    view! {
        <Records id="orders-title" title="The last orders" columns=COLUMNS records=records(orders)
            none="They have ordered nothing." />
    }
}

fn records(orders: Vec<Listed>) -> Vec<Record> {
    orders
        .into_iter()
        .map(|order| {
            let (state, tone) = words::order_state(order.state);
            Record::from(vec![
                view! { <a href=paths::admin_order(order.id)>{order.id.short()}</a> }.into_any(),
                order.plan_name.into_any(),
                order.credits.to_string().into_any(),
                words::price(order.price).into_any(),
                view! { <Badge words=state tone /> }.into_any(),
                view! { <Moment at=order.created_at /> }.into_any(),
            ])
        })
        .collect()
}
