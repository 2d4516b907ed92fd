//! What a plan costs in further currencies: rows of a price and its currency. Empty ones are passed over, and the last are tucked
//! away until they are needed.

use atlas::plans::prices::{OTHERS_MAX, TypedPrice, currency_field, price_field, written};
use domain::Money;
use leptos::prelude::*;

use crate::flash::Form;
use crate::parts::small::Icon;

/// So many are in view, and one more than are filled.
const ROWS_MIN: usize = 3;
const ABOUT: &str = "other-prices-help";

#[component]
pub fn OtherPrices(form: Form, prices: Vec<Money>) -> impl IntoView {
    let mut rows = typed(&form).unwrap_or_else(|| prices.into_iter().map(as_typed).collect());
    let filled = rows.iter().rposition(|row| !row.is_empty()).map_or(0, |last| last + 1);
    rows.resize(OTHERS_MAX, TypedPrice::default());
    let tucked_away = rows.split_off((filled + 1).clamp(ROWS_MIN, OTHERS_MAX));
    let in_view = rows.len();
    let drawn = (1..).zip(rows).map(|(number, row)| draw(&form, number, row)).collect_view();
    let more = (in_view + 1..).zip(tucked_away).map(|(number, row)| draw(&form, number, row)).collect_view();
    view! {
        <fieldset class="choices" aria-describedby=ABOUT>
            <legend>"Other currencies (optional)"</legend>
            <p class="field-help" id=ABOUT>"What it costs for who pays in another currency: 6.90 and EUR, 1150 and JPY."</p>
            {drawn}
            {(in_view < OTHERS_MAX).then(|| view! {
                <details class="disclosure">
                    <summary>"More currencies"</summary>
                    <div class="choices">{more}</div>
                </details>
            })}
        </fieldset>
    }
}

fn draw(form: &Form, number: usize, row: TypedPrice) -> impl IntoView + use<> {
    let (price, currency) = (price_field(number), currency_field(number));
    let said = |id: &str| format!("{id}-error");
    let errors = [&price, &currency].map(|id| form.error(id).map(|error| (said(id), error)));
    let [price_error, currency_error] = errors.each_ref().map(|error| error.as_ref().map(|(id, _)| id.clone()));
    // The first row's words stand above the columns; all others only say them.
    let hidden = (number > 1).then_some("visually-hidden");
    let nth = format!(" {number}");
    view! {
        <div class="field price-row">
            <label for=price.clone() class=hidden>"Price"<span class="visually-hidden">{nth.clone()}</span></label>
            <label for=currency.clone() class=hidden>"Currency"<span class="visually-hidden">{nth}</span></label>
            <input class="input" id=price name=format!("other_prices[{}][price]", number - 1) value=row.price autocomplete="off"
                inputmode="decimal" aria-invalid=price_error.is_some().then_some("true") aria-describedby=price_error />
            <input class="input" id=currency name=format!("other_prices[{}][currency]", number - 1) value=row.currency
                autocomplete="off" aria-invalid=currency_error.is_some().then_some("true") aria-describedby=currency_error />
            {errors.into_iter().flatten().map(|(id, error)| view! {
                <p class="field-error" id=id><Icon name="alert" />{error}</p>
            }).collect_view()}
        </div>
    }
}

fn as_typed(price: Money) -> TypedPrice {
    TypedPrice { price: price.to_decimal(), currency: price.currency.code() }
}

/// The rows as they were sent; none: the form was not sent.
fn typed(form: &Form) -> Option<Vec<TypedPrice>> {
    (!form.values.is_empty()).then(|| {
        let row = |number| TypedPrice {
            price: form.value(&price_field(number)),
            currency: form.value(&currency_field(number)),
        };
        (1..=OTHERS_MAX).map(row).collect()
    })
}

/// What was typed, as it would be written if it were read: in the order of the currencies.
pub fn typed_prices(form: &Form) -> String {
    let mut rows = typed(form).unwrap_or_default();
    rows.retain(|row| !row.is_empty());
    rows.sort_by_key(|row| row.currency.trim().to_uppercase());
    let each = rows.into_iter().map(|row| {
        let read =
            row.currency.trim().parse().ok().and_then(|currency| Money::parse_decimal(row.price.trim(), currency).ok());
        read.map_or_else(|| format!("{} {}", row.price.trim(), row.currency.trim()), |price| written(&[price]))
    });
    each.collect::<Vec<_>>().join(", ")
}

/// What is kept of the rows when a form goes back.
pub fn kept(rows: &[TypedPrice]) -> Vec<(String, &str)> {
    let halves = (1..=OTHERS_MAX).zip(rows).map(|(number, row)| {
        [(price_field(number), row.price.as_str()), (currency_field(number), row.currency.as_str())]
    });
    halves.flatten().collect()
}
