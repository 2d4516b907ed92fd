//! Which orders an address asks for, and the addresses that ask for them.

use atlas::orders::desk::{After, Search, Sort, Wanted};
use domain::{OrderState, Provider, paths};

use crate::pages::query;
use crate::parts::days;

/// What the address asks for. A value that doesn't read is as good as none.
#[derive(Clone)]
pub struct Asked {
    pub wanted: Wanted,
    /// As it was typed.
    pub search: String,
    pub after: Option<After>,
}

impl Asked {
    /// As it stands in the address; values that don't read are as good as none.
    pub fn from_query() -> Self {
        let search = query("q");
        let wanted = Wanted {
            state: query("state").parse().ok(),
            provider: query("provider").parse().ok(),
            plan: query("plan").parse().ok(),
            from: days::typed(&query("from")),
            to: days::typed(&query("to")),
            search: Search::parse(&search),
            sort: Sort::parse(&query("sort")),
        };
        Self { wanted, search, after: query("after").parse().ok() }
    }

    pub fn is_everything(&self) -> bool {
        Wanted { sort: Sort::Newest, ..self.wanted.clone() } == Wanted::default()
    }
}

/// The page, or the file, with what was chosen.
pub fn address(page: &str, wanted: &Wanted, search: &str, after: Option<After>) -> String {
    let after = after.map(|after| after.to_string());
    let (from, to) = (wanted.from.map(days::written), wanted.to.map(days::written));
    let plan = wanted.plan.map(|plan| plan.to_string());
    let query = [
        ("state", wanted.state.map_or("", OrderState::as_str)),
        ("provider", wanted.provider.map_or("", Provider::as_str)),
        ("plan", plan.as_deref().unwrap_or_default()),
        ("from", from.as_deref().unwrap_or_default()),
        ("to", to.as_deref().unwrap_or_default()),
        ("sort", if wanted.sort == Sort::Newest { "" } else { wanted.sort.as_str() }),
        ("q", search),
        ("after", after.as_deref().unwrap_or_default()),
    ];
    paths::with_query(page, &query)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use time::OffsetDateTime;

    use super::*;

    #[test]
    fn where_a_page_begins_stands_in_the_address() {
        let id = "0190aaaa-0000-7000-8000-000000000001".parse().unwrap();
        let from = After { at: OffsetDateTime::UNIX_EPOCH, id };
        let wanted = Wanted {
            state: Some(OrderState::Requested),
            plan: Some("0190aaaa-0000-7000-8000-000000000002".parse().unwrap()),
            sort: Sort::LastSettled,
            from: days::typed("2026-11-01"),
            ..Wanted::default()
        };
        let address = address(paths::ADMIN_ORDERS, &wanted, "a@b", Some(from));
        let plan = "plan=0190aaaa-0000-7000-8000-000000000002";
        let query = format!("state=requested&{plan}&from=2026-11-01&sort=last-settled&q=a%40b&after=0.{id}");
        assert_eq!(address, format!("/admin/orders?{query}"));
        assert_eq!(format!("0.{id}").parse(), Ok(from));
        for nonsense in ["", "0", "x.y", "99999999999999999999999999999999999999.0", "0.1"] {
            assert!(nonsense.parse::<After>().is_err(), "{nonsense}");
        }
    }
}
