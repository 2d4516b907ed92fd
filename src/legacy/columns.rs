//! Which columns of the old tables are read, and by what names they go.

use std::fmt;

/// One of the three tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    People,
    Orders,
    Transactions,
}

/// A column: our word for it, the names it may have, and whether there is no import without it.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub word: &'static str,
    pub names: &'static [&'static str],
    pub is_needed: bool,
}

const fn needed(word: &'static str, names: &'static [&'static str]) -> Column {
    Column { word, names, is_needed: true }
}

const fn optional(word: &'static str, names: &'static [&'static str]) -> Column {
    Column { word, names, is_needed: false }
}

const PEOPLE: &[Column] = &[
    needed("id", &["id", "user_id"]),
    needed("email", &["email", "email_address"]),
    needed("credits", &["credits", "credit_balance", "credits_balance", "balance"]),
    optional("name", &["name", "display_name", "full_name", "username"]),
    optional("role", &["role"]),
    optional("is_admin", &["is_admin", "admin"]),
    optional("created_at", &["created_at", "inserted_at"]),
];

const ORDERS: &[Column] = &[
    needed("id", &["id"]),
    needed("user_id", &["user_id", "profile_id", "buyer_id"]),
    needed("plan", &["plan_name", "plan", "package_name", "package", "plan_id"]),
    needed("credits", &["credits", "credit_amount", "credits_amount"]),
    needed("status", &["status", "state"]),
    optional("price", &["price", "price_usd", "amount", "total"]),
    optional("currency", &["currency"]),
    optional("note", &["note", "notes", "message", "comment"]),
    optional("answer", &["admin_note", "admin_notes", "rejection_reason"]),
    optional("created_at", &["created_at", "inserted_at"]),
    optional("answered_at", &["approved_at", "processed_at", "reviewed_at"]),
    optional("answered_by", &["approved_by", "processed_by", "reviewed_by"]),
];

const TRANSACTIONS: &[Column] = &[
    needed("id", &["id"]),
    needed("user_id", &["user_id", "profile_id"]),
    needed("amount", &["amount", "credits", "delta"]),
    needed("type", &["type", "transaction_type", "kind"]),
    optional("description", &["description", "reason", "note"]),
    optional("order_id", &["order_id", "credit_order_id", "reference_id"]),
    optional("balance_after", &["balance_after", "new_balance"]),
    optional("created_at", &["created_at", "inserted_at"]),
];

impl Table {
    pub const ALL: [Self; 3] = [Self::People, Self::Orders, Self::Transactions];

    /// The old system's name of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::People => "user_profiles",
            Self::Orders => "credit_orders",
            Self::Transactions => "credit_transactions",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::People => PEOPLE,
            Self::Orders => ORDERS,
            Self::Transactions => TRANSACTIONS,
        }
    }
}

/// A column that has to be there and isn't.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    pub table: Table,
    pub names: &'static [&'static str],
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [name, others @ ..] = self.names else { return Ok(()) };
        write!(f, "{} has no column {name}", self.table.name())?;
        if !others.is_empty() {
            write!(f, " (nor {})", others.join(", "))?;
        }
        Ok(())
    }
}

impl std::error::Error for Missing {}

/// Where in a row each of our columns stands.
#[derive(Debug, Clone)]
pub struct Layout {
    pub table: Table,
    places: Vec<Option<usize>>,
    /// Columns that nobody reads.
    pub ignored: Vec<String>,
}

impl Layout {
    /// Errors: [`Missing`] for the first needed column that has none of its names.
    pub fn of(table: Table, header: &[String]) -> Result<Self, Missing> {
        let header: Vec<String> = header.iter().map(|name| name.trim().to_lowercase()).collect();
        let find = |names: &[&str]| names.iter().find_map(|name| header.iter().position(|column| column == name));
        let places: Vec<Option<usize>> = table.columns().iter().map(|column| find(column.names)).collect();
        for (column, place) in table.columns().iter().zip(&places) {
            if column.is_needed && place.is_none() {
                return Err(Missing { table, names: column.names });
            }
        }
        let ignored = header
            .iter()
            .enumerate()
            .filter(|(place, _)| !places.contains(&Some(*place)))
            .map(|(_, name)| name.clone())
            .collect();
        Ok(Self { table, places, ignored })
    }

    /// Where the column stands; none, where the old table has no such column.
    pub(super) fn place(&self, word: &str) -> Option<usize> {
        let column = self.table.columns().iter().position(|column| column.word == word)?;
        self.places.get(column).copied().flatten()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn header(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn columns_are_found_by_any_of_their_names_and_the_rest_is_named() {
        let layout = Layout::of(Table::People, &header(&["avatar", "ID", " balance", "email_address"])).unwrap();
        assert_eq!(layout.place("id"), Some(1));
        assert_eq!(layout.place("credits"), Some(2));
        assert_eq!(layout.place("name"), None);
        assert_eq!(layout.ignored, ["avatar"]);
    }

    #[test]
    fn a_missing_column_is_named_with_its_other_names() {
        let missing = Layout::of(Table::Transactions, &header(&["id", "user_id", "type"])).unwrap_err();
        assert_eq!(missing.to_string(), "credit_transactions has no column amount (nor credits, delta)");
    }
}
