//! The three kinds of rows as they are staged: read, and written as a line of COPY.

use std::fmt::Write as _;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::columns::{Layout, Table};
use super::damage::Damage;
use super::fields::{Fields, Values, own_id};
use crate::people::register::Email;

const NAME_LENGTH_MAX: usize = 80;
const NOTE_LENGTH_MAX: usize = 2_000;
const ANSWER_LENGTH_MAX: usize = 500;
const KIND_LENGTH_MAX: usize = 40;
const DESCRIPTION_LENGTH_MAX: usize = 500;
const KINDS: [&str; 8] = ["purchase", "usage", "refund", "bonus", "adjustment", "spend", "grant", "admin"];

/// Reads a row of the table and appends its line. `place` counts the table's rows from 1.
pub(super) fn read(layout: &Layout, place: i64, values: &Values, now: OffsetDateTime, lines: &mut String) {
    let fields = Fields::new(layout, values, now);
    let line = Line::begin(lines, place);
    match layout.table {
        Table::People => person(fields, line),
        Table::Orders => order(fields, line),
        Table::Transactions => transaction(fields, line),
    }
}

fn person(mut fields: Fields<'_>, mut line: Line<'_>) {
    let id = fields.id();
    let email = fields.text("email").and_then(|email| Email::parse("email", &email).ok());
    if email.is_none() {
        fields.fault(Damage::EmailUnusable);
    }
    let name = one_line(fields.short("name", NAME_LENGTH_MAX));
    let credits = fields.balance();
    let role = fields.text("role").unwrap_or_default().to_lowercase();
    let is_staff = fields.is_true("is_admin") || ["admin", "superadmin", "staff", "support"].contains(&role.as_str());
    let created_at = fields.time("created_at");
    line.text(&id).uuid(own_id("person", &id)).maybe(email.as_ref().map(Email::as_str)).text(&name).number(credits);
    line.truth(is_staff).time(created_at).end(&fields.faults());
}

fn order(mut fields: Fields<'_>, mut line: Line<'_>) {
    let id = fields.id();
    let owner = fields.reference("user_id").unwrap_or_default();
    let plan = one_line(fields.short("plan", NAME_LENGTH_MAX));
    let credits = fields.whole("credits", Damage::OrderUnreadable);
    if credits.is_some_and(|credits| !(1..=domain::Credits::MAX.get()).contains(&credits)) {
        fields.fault(Damage::OrderUnreadable);
    }
    let price = fields.price();
    let status = fields.text("status").unwrap_or_default().to_lowercase();
    let state = state(&status).unwrap_or_else(|| {
        fields.fault(Damage::OrderStateUnknown);
        "requested"
    });
    let note = fields.short("note", NOTE_LENGTH_MAX);
    let answer = fields.short("answer", ANSWER_LENGTH_MAX).unwrap_or_else(|| answer(&status, state).to_owned());
    let (created_at, answered_at) = (fields.time("created_at"), fields.time("answered_at"));
    let answered_by = fields.reference("answered_by");
    line.text(&id).uuid(own_id("order", &id)).text(&owner).text(&plan).number(credits);
    line.number(price.map(|price| price.minor)).maybe(price.as_ref().map(|price| price.currency.as_str()));
    line.text(state).maybe(note.as_deref()).text(&answer).time(created_at).time(answered_at);
    line.maybe(answered_by.as_deref()).end(&fields.faults());
}

fn transaction(mut fields: Fields<'_>, mut line: Line<'_>) {
    let id = fields.id();
    let owner = fields.reference("user_id").unwrap_or_default();
    let amount = fields.whole("amount", Damage::AmountUnreadable);
    let kind = one_line(fields.short("type", KIND_LENGTH_MAX)).to_lowercase();
    if !KINDS.contains(&kind.as_str()) {
        fields.fault(Damage::KindUnknown);
    }
    let description = fields.short("description", DESCRIPTION_LENGTH_MAX).unwrap_or_default();
    let order = fields.reference("order_id");
    let balance_after = fields.maybe_whole("balance_after");
    let at = fields.time("created_at");
    line.text(&id).text(&owner).number(amount).text(&kind).text(&description).maybe(order.as_deref());
    line.number(balance_after).time(at).end(&fields.faults());
}

/// Their states as ours.
fn state(status: &str) -> Option<&'static str> {
    match status {
        "pending" | "requested" | "open" | "new" => Some("requested"),
        "approved" | "completed" | "paid" | "fulfilled" => Some("approved"),
        "rejected" | "declined" | "denied" | "cancelled" | "canceled" | "expired" => Some("rejected"),
        _ => None,
    }
}

/// What stands as the answer where the old system kept none.
fn answer(status: &str, state: &str) -> &'static str {
    match state {
        "approved" => "Approved before the move.",
        "rejected" if status.starts_with("cancel") => "Cancelled before the move.",
        "rejected" => "Declined before the move.",
        _ => "",
    }
}

fn one_line(text: Option<String>) -> String {
    text.unwrap_or_default().replace(['\n', '\r', '\t'], " ")
}

/// One line in the text form of COPY (PostgreSQL, COPY, “Text Format”).
struct Line<'a>(&'a mut String);

impl<'a> Line<'a> {
    fn begin(lines: &'a mut String, place: i64) -> Self {
        let _ = write!(lines, "{place}");
        Self(lines)
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.0.push('\t');
        for c in text.chars() {
            match c {
                '\\' => self.0.push_str("\\\\"),
                '\t' => self.0.push_str("\\t"),
                '\n' => self.0.push_str("\\n"),
                '\r' => self.0.push_str("\\r"),
                other => self.0.push(other),
            }
        }
        self
    }

    fn maybe(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(text),
            None => self.raw("\\N"),
        }
    }

    fn number(&mut self, number: Option<i64>) -> &mut Self {
        match number {
            Some(number) => self.raw(&number.to_string()),
            None => self.raw("\\N"),
        }
    }

    fn uuid(&mut self, uuid: Uuid) -> &mut Self {
        self.raw(&uuid.to_string())
    }

    fn truth(&mut self, is_true: bool) -> &mut Self {
        self.raw(if is_true { "t" } else { "f" })
    }

    fn time(&mut self, at: Option<OffsetDateTime>) -> &mut Self {
        let at = at.and_then(|at| at.format(&Rfc3339).ok());
        self.raw(at.as_deref().unwrap_or("\\N"))
    }

    fn end(&mut self, faults: &[Damage]) {
        let codes: Vec<&str> = faults.iter().map(|damage| damage.code()).collect();
        let is_unreadable = faults.iter().any(|damage| damage.leaves_out());
        self.raw(&format!("{{{}}}", codes.join(","))).truth(is_unreadable);
        self.0.push('\n');
    }

    fn raw(&mut self, text: &str) -> &mut Self {
        self.0.push('\t');
        self.0.push_str(text);
        self
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn staged(table: Table, header: &[&str], values: &[&str]) -> String {
        let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
        let values: Vec<_> = values.iter().map(|value| Some(value.as_bytes().to_vec())).collect();
        let mut lines = String::new();
        let now = time::macros::datetime!(2026-01-01 0:00 UTC);
        read(&Layout::of(table, &header).unwrap(), 7, &values, now, &mut lines);
        lines
    }

    #[test]
    fn a_person_is_staged_with_what_is_wrong_about_them() {
        let line = staged(
            Table::People,
            &["id", "email", "credits", "name", "role", "created_at"],
            &["p1", "Ana@Example.com ", "12.5", "Ana\\\tL", "admin", "2031-01-01"],
        );
        let own = own_id("person", "p1");
        assert_eq!(
            line,
            format!(
                "7\tp1\t{own}\tana@example.com\tAna\\\\ L\t\\N\tt\t\\N\t{{balance_unreadable,time_in_future}}\tf\n"
            )
        );
    }

    #[test]
    fn an_order_of_an_unknown_state_waits_for_a_person() {
        let line = staged(
            Table::Orders,
            &["id", "user_id", "plan", "credits", "status", "price"],
            &["o1", "p1", "pro", "25000", "on hold", "32.50"],
        );
        assert!(line.contains("\tpro\t25000\t3250\tusd\trequested\t"), "{line}");
        assert!(line.ends_with("\t{order_state_unknown}\tf\n"), "{line}");
    }

    #[test]
    fn a_transaction_without_a_number_is_left_out() {
        let line = staged(Table::Transactions, &["id", "user_id", "amount", "type"], &["t1", "p1", "many", "usage"]);
        assert!(line.ends_with("\t{amount_unreadable}\tt\n"), "{line}");
    }
}
