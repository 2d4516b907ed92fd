//! What a deed changed, in words.

use leptos::prelude::*;
use serde_json::Value;

/// Field by field; nothing where nothing was noted.
#[component]
pub fn Changed(change: Value) -> impl IntoView {
    let Value::Object(fields) = change else { return ().into_any() };
    if fields.is_empty() {
        return ().into_any();
    }
    let fields = fields.into_iter().map(|(field, value)| {
        view! { <div><dt>{field.replace('_', " ")}</dt><dd><bdi>{became(&value)}</bdi></dd></div> }
    });
    view! { <dl class="changes">{fields.collect_view()}</dl> }.into_any()
}

/// `buyer → admin` for what was one thing and is another (`audit::Change::from_to`), or what was noted.
fn became(value: &Value) -> String {
    match (value.get("from"), value.get("to")) {
        (Some(from), Some(to)) => format!("{} → {}", plain(from), plain(to)),
        _ => plain(value),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_read_like_words() {
        for (value, words) in [
            (json!({ "from": "buyer", "to": "admin" }), "buyer → admin"),
            (json!({ "from": null, "to": 500 }), "nothing → 500"),
            (json!(false), "no"),
            (json!(["a", 2]), "a, 2"),
            (json!("<b>"), "<b>"),
            (json!({ "from": 1 }), r#"{"from":1}"#),
        ] {
            assert_eq!(became(&value), words);
        }
    }
}
