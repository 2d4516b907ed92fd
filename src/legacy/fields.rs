//! The values of the old system's rows, read as far as they can be: what is wrong with one is noted, and something safe
//! stands in its place.

use domain::{Credits, Currency, Money};
use sha2::{Digest as _, Sha256};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime, UtcOffset};
use uuid::Uuid;

use super::columns::Layout;
use super::damage::Damage;

const ID_LENGTH_MAX: usize = 120;
const AMOUNT_MAX: i64 = 1_000_000_000_000_000;

/// One row as its source gave it: the bytes of each value, none for NULL.
pub type Values = [Option<Vec<u8>>];

/// Reads one row, and gathers what is wrong with it.
pub(super) struct Fields<'a> {
    layout: &'a Layout,
    values: &'a Values,
    now: OffsetDateTime,
    faults: Vec<Damage>,
}

impl<'a> Fields<'a> {
    pub fn new(layout: &'a Layout, values: &'a Values, now: OffsetDateTime) -> Self {
        Self { layout, values, now, faults: Vec::new() }
    }

    /// What is wrong with the row, each once.
    pub fn faults(mut self) -> Vec<Damage> {
        self.faults.sort_unstable();
        self.faults.dedup();
        self.faults
    }

    pub fn fault(&mut self, damage: Damage) {
        self.faults.push(damage);
    }

    /// None: NULL, nothing, or no such column. Line breaks and tabs stay; other control characters can't be kept.
    pub fn text(&mut self, word: &str) -> Option<String> {
        let bytes = self.layout.place(word).and_then(|place| self.values.get(place))?.as_deref()?;
        let text = String::from_utf8_lossy(bytes);
        let bad = |c: char| c.is_control() && c != '\n' && c != '\t' && c != '\r';
        let is_whole = matches!(text, std::borrow::Cow::Borrowed(_)) && !text.chars().any(bad);
        if !is_whole {
            self.fault(Damage::TextRepaired);
        }
        let text = if is_whole { text.into_owned() } else { text.replace(bad, "\u{fffd}") };
        let trimmed = text.trim();
        (!trimmed.is_empty()).then(|| trimmed.to_owned())
    }

    /// At most `length_max` characters.
    pub fn short(&mut self, word: &str, length_max: usize) -> Option<String> {
        let text = self.text(word)?;
        match text.char_indices().nth(length_max) {
            None => Some(text),
            Some((end, _)) => {
                self.fault(Damage::TextTooLong);
                Some(text[..end].to_owned())
            }
        }
    }

    /// An id; empty and faulted where there is none that can be kept.
    pub fn id(&mut self) -> String {
        let id = self.reference("id");
        if id.is_none() {
            self.fault(Damage::IdUnusable);
        }
        id.unwrap_or_default()
    }

    /// The id of a row: nothing has one that is longer than we keep. A UUID is one however it is written.
    pub fn reference(&mut self, word: &str) -> Option<String> {
        let id = self.text(word).filter(|id| id.chars().count() <= ID_LENGTH_MAX)?;
        Some(id.parse::<Uuid>().map_or(id, |uuid| uuid.to_string()))
    }

    /// A whole number from -10^15 to 10^15. Decimals that are all zeros are whole.
    pub fn whole(&mut self, word: &str, damage: Damage) -> Option<i64> {
        let number = self.text(word).as_deref().and_then(whole);
        if number.is_none() {
            self.fault(damage);
        }
        number
    }

    /// As [`Self::whole`], and nothing where it is missing.
    pub fn maybe_whole(&mut self, word: &str) -> Option<i64> {
        self.text(word).as_deref().and_then(whole)
    }

    /// A balance: up to what one lot may hold. Below zero is another matter.
    pub fn balance(&mut self) -> Option<i64> {
        let number = self.text("credits").as_deref().and_then(whole).filter(|number| *number <= Credits::MAX.get());
        if number.is_none() {
            self.fault(Damage::BalanceUnreadable);
        }
        number
    }

    /// A price in the minor unit. Nothing paid is no price.
    pub fn price(&mut self) -> Option<Money> {
        let text = self.text("price")?;
        let currency = match self.text("currency") {
            None => Some(Currency::USD),
            Some(code) => code.parse().ok(),
        };
        let text = text.trim_start_matches('$');
        let money = currency.and_then(|currency| Money::parse_decimal(text, currency).ok());
        let money = money.filter(|money| (0..=Credits::MAX.get()).contains(&money.minor));
        if money.is_none() {
            self.fault(Damage::PriceUnreadable);
        }
        money.filter(|money| money.minor > 0)
    }

    /// None: it is missing, can't be read, or has not come yet.
    pub fn time(&mut self, word: &str) -> Option<OffsetDateTime> {
        let text = self.text(word)?;
        let Some(at) = time(&text) else {
            self.fault(Damage::TimeUnreadable);
            return None;
        };
        if at > self.now {
            self.fault(Damage::TimeInFuture);
            return None;
        }
        Some(at)
    }

    pub fn is_true(&mut self, word: &str) -> bool {
        matches!(self.text(word).as_deref(), Some("t" | "true" | "TRUE" | "True" | "1" | "yes"))
    }
}

fn whole(text: &str) -> Option<i64> {
    let digits = match text.split_once('.') {
        Some((digits, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => digits,
        Some(_) => return None,
        None => text,
    };
    digits.parse::<i64>().ok().filter(|number| (-AMOUNT_MAX..=AMOUNT_MAX).contains(number))
}

/// As PostgreSQL writes it, with or without a zone, and as RFC 3339 has it. Without a zone it is UTC.
fn time(text: &str) -> Option<OffsetDateTime> {
    const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
    const CLOCK: &[BorrowedFormatItem<'_>] =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second][optional [.[subsecond]]]");
    const ZONED: &[BorrowedFormatItem<'_>] = format_description!(
        "[year]-[month]-[day]T[hour]:[minute]:[second][optional [.[subsecond]]][offset_hour sign:mandatory][optional [:[offset_minute]]]"
    );
    let text = text.replacen(' ', "T", 1);
    if let Some(utc) = text.strip_suffix(['Z', 'z']) {
        return PrimitiveDateTime::parse(utc, CLOCK).ok().map(PrimitiveDateTime::assume_utc);
    }
    let zoned = || OffsetDateTime::parse(&text, ZONED).ok().map(|at| at.to_offset(UtcOffset::UTC));
    let unzoned = || PrimitiveDateTime::parse(&text, CLOCK).ok().map(PrimitiveDateTime::assume_utc);
    let day = || Date::parse(&text, DAY).ok().map(|day| day.midnight().assume_utc());
    zoned().or_else(unzoned).or_else(day).filter(|at| at.year() >= 1970)
}

/// An old id as ours: itself where it is a UUID, else one that follows from it, the same each time.
pub(super) fn own_id(what: &str, id: &str) -> Uuid {
    if let Ok(uuid) = id.parse() {
        return uuid;
    }
    let hash: [u8; 32] = Sha256::digest(format!("atlas legacy {what} {id}")).into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::columns::Table;
    use super::*;

    #[test]
    fn numbers_are_read_whole_or_not_at_all() {
        assert_eq!(whole("1200"), Some(1_200));
        assert_eq!(whole("-7"), Some(-7));
        assert_eq!(whole("12.00"), Some(12));
        for text in ["12.5", "1,200", "1e3", "", "twelve", "99999999999999999999", "1000000000000001", "5."] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        let noon = time("2024-03-01T12:00:00Z").unwrap();
        for text in
            ["2024-03-01 12:00:00+00", "2024-03-01 14:00:00+02:00", "2024-03-01 12:00:00", "2024-03-01T12:00:00.000"]
        {
            assert_eq!(time(text), Some(noon), "{text}");
        }
        assert_eq!(time("2024-03-01").unwrap(), noon - time::Duration::hours(12));
        assert_eq!(time("2024-03-01 12:00:00.25+00").unwrap(), noon + time::Duration::milliseconds(250));
        for text in ["2024-13-01", "yesterday", "0000-00-00 00:00:00", "1709294400", "01/03/2024"] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn text_that_cannot_be_kept_is_repaired_and_cut() {
        let layout = Layout::of(Table::People, &["id", "email", "credits", "name"].map(str::to_owned)).unwrap();
        let row = [Some(b"1".to_vec()), None, Some(b"5".to_vec()), Some(b"An\0a \xff L".to_vec())];
        let mut fields = Fields::new(&layout, &row, OffsetDateTime::UNIX_EPOCH);
        assert_eq!(fields.short("name", 5).unwrap(), "An\u{fffd}a ");
        assert_eq!(fields.text("email"), None);
        assert_eq!(fields.faults(), [Damage::TextRepaired, Damage::TextTooLong]);
    }

    #[test]
    fn an_id_that_is_no_uuid_becomes_the_same_one_each_time() {
        let own = own_id("person", "42");
        assert_eq!(own, own_id("person", "42"));
        assert_ne!(own, own_id("order", "42"));
        let uuid = "0b0e8a5e-3f4c-4d55-9d0a-1f0f4f8a1c11";
        assert_eq!(own_id("person", uuid).to_string(), uuid);
    }
}
