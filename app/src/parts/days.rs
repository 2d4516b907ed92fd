//! From one day to another, as filters ask for it in a form and keep it in an address.

use leptos::prelude::*;
use time::Date;
use time::macros::format_description;

/// The two fields of a filter, `from` and `to`.
#[component]
pub fn DayFields(from: Option<Date>, to: Option<Date>) -> impl IntoView {
    view! {
        <div class="field">
            <label for="from">"From"</label>
            <input class="input" r#type="date" id="from" name="from" value=from.map(written) />
        </div>
        <div class="field">
            <label for="to">"To"</label>
            <input class="input" r#type="date" id="to" name="to" value=to.map(written) />
        </div>
    }
}

/// A day as date fields send it; anything else is none.
pub fn typed(text: &str) -> Option<Date> {
    Date::parse(text, format_description!("[year]-[month]-[day]")).ok()
}

/// The same back.
pub fn written(day: Date) -> String {
    day.format(format_description!("[year]-[month]-[day]")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn a_day_reads_as_it_is_written_and_nothing_else_does() {
        assert_eq!(typed(&written(date!(2026 - 11 - 01))), Some(date!(2026 - 11 - 01)));
        for text in ["2026-02-30", "01.11.2026", "", "2026-11-01T00:00"] {
            assert_eq!(typed(text), None, "{text}");
        }
    }
}
