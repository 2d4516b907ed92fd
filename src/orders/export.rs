//! Orders as a file, piece by piece, so that its size costs no memory.

use sqlx::PgPool;
use time::format_description::well_known::Rfc3339;

use super::desk::{After, Search, Wanted, chosen};
use super::list::Listed;
use crate::audit::{self, About, Change, Origin, What};
use crate::people::roles::Finance;
use crate::{Context, Result, csv};

pub const HEADER: &str = "order,made,state,provider,buyer,plan,credits,price,currency,settled\r\n";
/// Orders read at once.
const PIECE_ORDERS: usize = 1_000;

/// Writes down who takes which orders along, before they get any.
pub async fn begin(ctx: &Context, by: &Finance, origin: &Origin, wanted: &Wanted) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    let chosen = Change::none()
        .noted("state", wanted.state.map_or("any", |state| state.as_str()))
        .noted("provider", wanted.provider.map_or("any", |provider| provider.as_str()))
        .noted("plan", wanted.plan.map(|plan| plan.to_string()))
        .noted("by", if wanted.sort.is_by_settled() { "settled" } else { "made" })
        .noted("from", wanted.from.map(|day| day.to_string()))
        .noted("to", wanted.to.map(|day| day.to_string()))
        .noted("searched", wanted.search != Search::Everything);
    let about = About::Thing { kind: "orders", id: "csv" };
    audit::record(&mut tx, &by.by(origin).did(What::DataExported, about).with(chosen)).await?;
    tx.commit().await?;
    Ok(())
}

/// The next piece, and where to go on, if there is more.
pub async fn piece(db: &PgPool, _: &Finance, wanted: &Wanted, after: Option<After>) -> Result<(String, Option<After>)> {
    let page = chosen(db, wanted, after, PIECE_ORDERS).await?;
    Ok((page.orders.iter().map(row).collect(), page.next))
}

fn row(order: &Listed) -> String {
    let (price, currency) = match order.price {
        domain::Price::Fixed(money) => (money.to_decimal(), money.currency.code()),
        domain::Price::ByAgreement => Default::default(),
    };
    csv::row([
        order.id.to_string().as_str(),
        &order.created_at.format(&Rfc3339).unwrap_or_default(),
        order.state.as_str(),
        order.provider.as_str(),
        &order.buyer_email,
        &order.plan_name,
        &order.credits.get().to_string(),
        &price,
        &currency,
        &order.settled_at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default(),
    ])
}
