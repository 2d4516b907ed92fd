//! Telling the pages that wait, in every process, which orders have changed.

use domain::OrderId;

use crate::{Context, tasks};

/// The PostgreSQL channel. A message is the ids of orders, with commas between them.
pub const CHANNEL: &str = "atlas_orders";

/// A message of PostgreSQL has fewer than 8,000 bytes (PostgreSQL, NOTIFY); an id here takes 37.
const ORDERS_A_MESSAGE: usize = 200;

/// Tells what was committed, while the caller goes on. Never inside the transaction: PostgreSQL holds one lock for all
/// notifications until the commit is on the disk, so commits would queue behind each other. A message that is lost
/// costs a page some seconds, for it looks again by itself.
pub fn tell(ctx: &Context, orders: &[OrderId]) {
    if orders.is_empty() {
        return;
    }
    let (db, messages) = (ctx.db.clone(), messages(orders));
    tasks::spawn(async move {
        let told = sqlx::query!("select pg_notify($1, message) from unnest($2::text[]) as message", CHANNEL, &messages);
        if let Err(error) = told.fetch_all(&db).await {
            tracing::warn!(%error, "pages could not be told of orders that changed; they look by themselves");
        }
    });
}

fn messages(orders: &[OrderId]) -> Vec<String> {
    let message = |orders: &[OrderId]| orders.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    orders.chunks(ORDERS_A_MESSAGE).map(message).collect()
}

/// The orders that a message tells of. What is no id is passed over.
pub fn told(message: &str) -> impl Iterator<Item = OrderId> {
    message.split(',').filter_map(|id| id.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_is_told_of_and_no_message_is_too_long() {
        let orders: Vec<OrderId> = (0..450).map(|_| OrderId::from_uuid(crate::ids::fresh())).collect();
        let messages = messages(&orders);
        assert!(messages.iter().all(|message| message.len() < 8_000));
        assert_eq!(messages.len(), 3);
        assert_eq!(messages.iter().flat_map(|message| told(message)).collect::<Vec<_>>(), orders);
        assert_eq!(told("").chain(told("no id,")).count(), 0);
    }
}
