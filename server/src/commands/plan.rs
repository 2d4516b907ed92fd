//! `atlas plan`: what is for sale.

use anyhow::Result;
use atlas::Context;
use atlas::plans::bonus::columns;
use atlas::plans::{catalogue, defaults};
use clap::Subcommand;
use domain::Price;
use serde_json::{Value, json};

use super::OrSaid as _;
use super::print::{self, Format};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// The plans on sale, as buyers see them.
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Add those of Starter, Pro and Enterprise that are not there yet. Changes none that is.
    Defaults {
        #[command(flatten)]
        format: Format,
    },
}

pub async fn run(ctx: &Context, command: Command) -> Result<()> {
    match command {
        Command::List { format } => {
            let rows = catalogue(&ctx.db).await.or_said()?.iter().map(row).collect();
            let columns =
                [("PLAN", "slug"), ("NAME", "name"), ("CREDITS", "credits"), ("PRICE", "price"), ("ID", "id")];
            print::table(format, &columns, rows)
        }
        Command::Defaults { format } => {
            let added = defaults::add_missing(ctx).await.or_said()?;
            print::one(format, &json!({ "added": added }), &format!("{added} plans added."))
        }
    }
}

fn row(offer: &atlas::plans::Offer) -> Value {
    let (price, currency) = price(offer.price);
    let other_prices: Vec<Value> = offer
        .other_prices
        .iter()
        .map(|price| json!({ "price": price.to_decimal(), "currency": price.currency }))
        .collect();
    json!({
        "id": offer.plan, "version": offer.version, "slug": offer.slug, "name": offer.name,
        "credits": offer.credits, "bonus_credits": columns(offer.bonus).0, "price": price, "currency": currency,
        "other_prices": other_prices,
    })
}

/// The amount as an exact decimal, and its currency.
pub fn price(price: Price) -> (Option<String>, Option<String>) {
    match price {
        Price::Fixed(money) => (Some(money.to_decimal()), Some(money.currency.as_str().to_owned())),
        Price::ByAgreement => (None, None),
    }
}
