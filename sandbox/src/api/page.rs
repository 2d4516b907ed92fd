//! Cursor pages, newest first unless asked otherwise. A cursor names a place in the order, so it stays right while records
//! are added or drop out of a filter.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::error::ApiError;
use super::query::Query;
use crate::clock::Moment;
use crate::world::{Record, Table};

const PAGE_DEFAULT: usize = 20;
const PAGE_MAX: usize = 100;

/// The answer of every list.
#[derive(Serialize, Debug)]
pub struct Page<V> {
    data: Vec<V>,
    page_info: PageInfo,
}

#[derive(Serialize, Debug)]
struct PageInfo {
    end_cursor: Option<String>,
    start_cursor: Option<String>,
    has_next_page: bool,
    has_previous_page: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_count_capped: Option<bool>,
}

/// A place in a list: by the moment that orders it, then by the record's number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Place(i64, u64);

/// One page of a table: those that `keep` admits, ordered by creation, each shown by `view`.
pub fn page<T: Record, V>(
    query: &Query,
    table: &Table<T>,
    keep: impl Fn(&T) -> bool,
    view: impl Fn(&T) -> V,
) -> Result<Page<V>, ApiError> {
    page_by(query, table, keep, |record| Some(record.created_at()), view)
}

/// The same in another order; records without a moment come first in time.
pub fn page_by<T: Record, V>(
    query: &Query,
    table: &Table<T>,
    keep: impl Fn(&T) -> bool,
    moment: impl Fn(&T) -> Option<Moment>,
    view: impl Fn(&T) -> V,
) -> Result<Page<V>, ApiError> {
    let (after, before) = (query.moment("created_after")?, query.moment("created_before")?);
    let in_time = |record: &T| {
        let at = record.created_at();
        after.is_none_or(|after| at > after) && before.is_none_or(|before| at < before)
    };
    let mut places: Vec<(Place, &T)> = table
        .numbered()
        .filter(|(_, record)| in_time(record) && keep(record))
        .map(|(number, record)| (Place(moment(record).map_or(i64::MIN, Moment::millis), number), record))
        .collect();
    let ascending = match query.get("direction") {
        None | Some("desc") => false,
        Some("asc") => true,
        Some(_) => return Err(ApiError::bad("direction must be asc or desc")),
    };
    places.sort_unstable_by_key(|(place, _)| *place);
    if !ascending {
        places.reverse();
    }
    let window = window(query, ascending, &places.iter().map(|(place, _)| *place).collect::<Vec<_>>())?;
    let chosen = places.get(window.clone()).unwrap_or_default();
    let count = (query.get("include_total_count") == Some("true")).then_some(places.len());
    Ok(Page {
        page_info: PageInfo {
            start_cursor: chosen.first().map(|(place, _)| cursor(*place)),
            end_cursor: chosen.last().map(|(place, _)| cursor(*place)),
            has_next_page: window.end < places.len(),
            has_previous_page: window.start > 0,
            total_count: count.map(|count| count.min(10_000)),
            total_count_capped: count.map(|count| count > 10_000),
        },
        data: chosen.iter().map(|(_, record)| view(record)).collect(),
    })
}

/// Which part of the ordered places the request asks for.
fn window(query: &Query, ascending: bool, places: &[Place]) -> Result<std::ops::Range<usize>, ApiError> {
    let follows = |place: &Place, mark: &Place| if ascending { place > mark } else { place < mark };
    let (mut start, mut end) = (0, places.len());
    if let Some(mark) = place(query, "after")? {
        start = places.partition_point(|place| !follows(place, &mark));
    }
    if let Some(mark) = place(query, "before")? {
        end = places.partition_point(|place| follows(&mark, place)).max(start);
    }
    match (size(query, "first")?, size(query, "last")?) {
        (Some(_), Some(_)) => return Err(ApiError::bad("first and last are mutually exclusive")),
        (None, Some(last)) => start = start.max(end.saturating_sub(last)),
        (first, None) => end = end.min(start + first.unwrap_or(PAGE_DEFAULT)),
    }
    Ok(start..end)
}

fn size(query: &Query, name: &str) -> Result<Option<usize>, ApiError> {
    match query.number(name)? {
        Some(0) => Err(ApiError::bad(format!("{name} must be at least 1"))),
        size => Ok(size.map(|size| size.min(PAGE_MAX))),
    }
}

fn cursor(Place(millis, number): Place) -> String {
    URL_SAFE_NO_PAD.encode(format!("{millis}.{number}"))
}

fn place(query: &Query, name: &str) -> Result<Option<Place>, ApiError> {
    let Some(text) = query.get(name) else { return Ok(None) };
    let decoded = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let place = decoded
        .as_deref()
        .and_then(|text| text.split_once('.'))
        .and_then(|(millis, number)| Some(Place(millis.parse().ok()?, number.parse().ok()?)));
    place.map(Some).ok_or_else(|| ApiError::bad(format!("{name} is not a cursor of this list")))
}
