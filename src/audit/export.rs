//! The entries as a file.

use time::format_description::well_known::Rfc3339;

use super::list::Entry;
use crate::csv;

pub const HEADER: &str =
    "number,at,actor,actor_id,part,session,network,request,deed,about,about_id,change,why,hash\r\n";

/// A row of the CSV file; what a spreadsheet would run is disarmed.
pub fn row(entry: &Entry) -> String {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    csv::row(
        [
            entry.number.to_string(),
            entry.at.format(&Rfc3339).unwrap_or_default(),
            entry.actor.clone(),
            entry.actor_id.map(|id| id.to_string()).unwrap_or_default(),
            optional(&entry.part),
            optional(&entry.session),
            optional(&entry.network),
            optional(&entry.request),
            entry.deed.clone(),
            entry.about.clone(),
            entry.about_id.clone(),
            entry.change.to_string(),
            optional(&entry.why),
            entry.hash.clone(),
        ]
        .iter()
        .map(String::as_str),
    )
}
