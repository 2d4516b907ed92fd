//! One event, one line: whatever a value holds, it ends no line, begins none, says nothing to a terminal and is not longer
//! than is of use (T78).

use std::fmt::{self, Debug, Write};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

const VALUE_BYTES_MAX: usize = 1_024;

/// A value as it is logged. Writing ends when it is long enough.
struct Cut(String);

impl Cut {
    fn of(value: &dyn Debug) -> String {
        let mut cut = Self(String::new());
        if write!(cut, "{value:?}").is_err() {
            cut.0.push('…');
        }
        cut.0
    }
}

impl Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if self.0.len() + character.len_utf8() > VALUE_BYTES_MAX {
                return Err(fmt::Error);
            }
            // Line ends of a person's or a machine's making (U+2028 and U+2029 are such), and what moves a cursor.
            if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
                self.0.extend(character.escape_unicode());
            } else {
                self.0.push(character);
            }
        }
        Ok(())
    }
}

/// For people: `name=value`, the message bare.
pub fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> fmt::Result {
    let value = Cut::of(value);
    if field.name() == "message" { writer.write_str(&value) } else { write!(writer, "{field}={value}") }
}

/// For machines: an object a line.
pub struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let mut line = Fields(Map::new());
        line.0.insert("timestamp".to_owned(), time.into());
        line.0.insert("level".to_owned(), event.metadata().level().as_str().into());
        event.record(&mut line);
        if let Some(span) = ctx.lookup_current() {
            line.0.insert("span".to_owned(), Value::Object(fields_of::<N>(span.extensions().get(), span.name())));
        }
        writeln!(writer, "{}", Value::Object(line.0))
    }
}

/// A span's fields were written down as JSON when it began.
fn fields_of<N: 'static>(written: Option<&FormattedFields<N>>, name: &str) -> Map<String, Value> {
    let mut fields: Map<String, Value> =
        written.and_then(|written| serde_json::from_str(&written.fields).ok()).unwrap_or_default();
    for value in fields.values_mut() {
        if let Value::String(text) = value {
            *text = cut_text(text);
        }
    }
    fields.insert("name".to_owned(), name.into());
    fields
}

fn cut_text(text: &str) -> String {
    Cut::of(&format_args!("{text}"))
}

struct Fields(Map<String, Value>);

impl Fields {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.insert(field, Cut::of(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, cut_text(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::field::MakeExt as _;
    use tracing_subscriber::fmt::MakeWriter;
    use tracing_subscriber::fmt::format::{JsonFields, debug_fn};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Kept {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    impl Kept {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    const FORGED: &str = "a\r\n{\"level\":\"ERROR\"}\u{1b}[2J\u{7f}\u{9b}\u{85}\u{2028}\0\"quoted\"";

    fn tell(forged: &str) {
        let span = tracing::info_span!("request", request.id = forged, event.kind = tracing::field::Empty);
        span.record("event.kind", forged);
        let _inside = span.enter();
        tracing::info!(name = forged, agent = %forged, email = ?forged, count = 3, "{forged}");
    }

    #[test]
    fn t78_no_value_begins_a_line_of_its_own_for_machines() {
        let kept = Kept::default();
        let logs = tracing_subscriber::fmt().with_writer(kept.clone()).fmt_fields(JsonFields::new());
        tracing::subscriber::with_default(logs.event_format(JsonLine).finish(), || tell(FORGED));
        let text = kept.text();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        assert_eq!(lines.len(), 1, "{text}");
        let line: Value = serde_json::from_str(lines[0]).unwrap();
        assert_eq!(
            (&line["level"], &line["count"], &line["span"]["name"]),
            (&"INFO".into(), &3.into(), &"request".into())
        );
        for value in
            [&line["name"], &line["agent"], &line["message"], &line["span"]["request.id"], &line["span"]["event.kind"]]
        {
            assert!(value.as_str().unwrap().contains("{\"level\":\"ERROR\"}"), "it is kept, as text: {value}");
        }
        assert!(!lines[0].trim_end_matches('\n').chars().any(|c| c.is_control() || c == '\u{2028}'), "{text}");
    }

    #[test]
    fn t78_no_value_begins_a_line_of_its_own_for_people() {
        let kept = Kept::default();
        let logs = tracing_subscriber::fmt().with_writer(kept.clone()).with_ansi(false);
        let logs = logs.fmt_fields(debug_fn(write_field).delimited(" ")).finish();
        tracing::subscriber::with_default(logs, || tell(FORGED));
        let text = kept.text();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.trim_end_matches('\n').chars().any(|c| c.is_control() || c == '\u{2028}'), "{text}");
        assert!(text.contains("count=3"), "{text}");
    }

    #[test]
    fn t78_long_values_are_cut() {
        let kept = Kept::default();
        let logs = tracing_subscriber::fmt().with_writer(kept.clone()).fmt_fields(JsonFields::new());
        tracing::subscriber::with_default(logs.event_format(JsonLine).finish(), || tell(&"é".repeat(5_000)));
        let line: Value = serde_json::from_str(&kept.text()).unwrap();
        for value in [&line["name"], &line["agent"], &line["email"], &line["message"], &line["span"]["request.id"]] {
            let bytes = value.as_str().unwrap().len();
            assert!((1_000..=VALUE_BYTES_MAX + '…'.len_utf8()).contains(&bytes), "{bytes}");
        }
    }
}
