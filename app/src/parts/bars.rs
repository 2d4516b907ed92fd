//! A chart of a few bars under each other, each with its name and number; and the same as a table below it.

use leptos::prelude::*;

/// Units of the drawing: CSS gives it its width, so lengths along it are in percent.
const ROW: usize = 44;

/// One bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    pub name: String,
    /// As it is shown: `1,234`.
    pub said: String,
    pub length: i64,
}

#[component]
pub fn Bars(
    /// Of the figure; others are made from it.
    id: &'static str,
    title: &'static str,
    /// What it shows, in one sentence.
    message: String,
    bars: Vec<Bar>,
    /// The titles of the table's columns.
    columns: [&'static str; 2],
) -> impl IntoView {
    let longest = bars.iter().map(|bar| bar.length).max().unwrap_or_default();
    let drawn = bars.iter().enumerate().map(|(nth, bar)| {
        let (words, top) = (nth * ROW + 14, nth * ROW + 22);
        view! {
            <text class="chart-name" x="0" y=words.to_string()>{bar.name.clone()}</text>
            <text class="chart-value" x="100%" y=words.to_string() text-anchor="end">{bar.said.clone()}</text>
            <rect class="chart-track" x="0" y=top.to_string() width="100%" height="10" />
            <rect class="chart-bar" x="0" y=top.to_string() width=percent(bar.length, longest) height="10" />
        }
    });
    let rows = bars.iter().map(|bar| {
        view! { <tr><th scope="row">{bar.name.clone()}</th><td class="number">{bar.said.clone()}</td></tr> }
    });
    let (title_id, described) = (format!("{id}-title"), format!("{id}-desc"));
    let labelled_by = format!("{title_id} {described}");
    view! {
        <figure class="figure">
            <h2 id=id>{title}</h2>
            <svg class="chart-bars" height=(bars.len() * ROW).to_string() role="img" aria-labelledby=labelled_by>
                <title id=title_id>{title}</title>
                <desc id=described>{message.clone()}</desc>
                {drawn.collect_view()}
            </svg>
            <figcaption>{message}</figcaption>
            <details class="disclosure">
                <summary>"As a table"</summary>
                <table class="table">
                    <caption class="visually-hidden">{title}</caption>
                    <thead><tr><th scope="col">{columns[0]}</th><th scope="col" class="number">{columns[1]}</th></tr></thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </details>
        </figure>
    }
}

/// `72.9%`. Something is never drawn as nothing.
fn percent(length: i64, longest: i64) -> String {
    if length <= 0 || longest <= 0 {
        return "0".to_owned();
    }
    let thousandths = (i128::from(length) * 1000 / i128::from(longest)).max(4);
    format!("{}.{}%", thousandths / 10, thousandths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_what_they_stand_for() {
        assert_eq!(percent(729, 1000), "72.9%");
        assert_eq!(percent(i64::MAX, i64::MAX), "100.0%");
        assert_eq!(percent(1, 1_000_000), "0.4%");
        assert_eq!((percent(0, 10), percent(0, 0)), ("0".to_owned(), "0".to_owned()));
    }
}
