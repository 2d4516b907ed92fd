//! `atlas order`: orders and how they stand.

use anyhow::Result;
use atlas::Context;
use atlas::orders::list;
use clap::Subcommand;
use serde_json::{Value, json};

use super::OrSaid as _;
use super::plan::price;
use super::print::{self, Format};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// The newest orders.
    List {
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
        #[command(flatten)]
        format: Format,
    },
}

pub async fn run(ctx: &Context, command: Command) -> Result<()> {
    let Command::List { limit, format } = command;
    let rows = list::newest(&ctx.db, limit).await.or_said()?.iter().map(row).collect();
    let columns = [
        ("CREATED", "created_at"),
        ("STATE", "state"),
        ("PLAN", "plan"),
        ("CREDITS", "credits"),
        ("PRICE", "price"),
        ("PROVIDER", "provider"),
        ("BUYER", "buyer"),
        ("ID", "id"),
    ];
    print::table(format, &columns, rows)
}

fn row(order: &list::Listed) -> Value {
    let (amount, currency) = price(order.price);
    json!({
        "id": order.id, "created_at": super::instant(order.created_at), "state": order.state, "plan": order.plan_name,
        "credits": order.credits, "price": amount, "currency": currency, "provider": order.provider,
        "buyer": order.buyer_email,
    })
}
