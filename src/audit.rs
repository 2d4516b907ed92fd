//! Who did what, about whom, and why: entries that only grow, each with the hash of the one before. They are written in the
//! transaction that they tell of; if one can't be written, what it tells of does not happen.

pub mod change;
pub mod export;
pub mod list;
pub mod reason;
pub mod verify;
mod words;

use std::net::IpAddr;

use domain::{ApiKeyId, OrderId, PersonId};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

pub use self::change::Change;
pub use self::reason::Reason;
pub use self::words::What;
use crate::Result;

/// Who acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Person(PersonId),
    /// Somebody with access to the machine, by this command: `user role`.
    Operator(&'static str),
    /// The program by itself: the name of the part that acted.
    System(&'static str),
    /// Somebody who is not known.
    Nobody,
}

/// Where a request came from. Nothing of it is kept but the session's beginning and the network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    #[serde(skip)]
    pub session: Option<[u8; 32]>,
    pub address: Option<IpAddr>,
    /// What the log knows the request by.
    pub request: Option<String>,
}

/// Who acts, from where: what a verb is handed that leaves an entry.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    pub who: Who,
    pub origin: &'a Origin,
}

/// What a deed is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About<'a> {
    Person(PersonId),
    /// An e-mail address that somebody typed. Only a keyed hash of it is kept.
    Address(&'a str),
    Key(ApiKeyId),
    Order(OrderId),
    /// Anything else: what kind of thing, small letters and underscores, and its id, at most 300 characters.
    Thing {
        kind: &'static str,
        id: &'a str,
    },
}

/// One entry to be written.
#[derive(Debug, Clone)]
pub struct Deed<'a> {
    pub who: Who,
    pub what: What,
    pub about: About<'a>,
    pub change: Change,
    /// Required for roles, money and what stops it.
    pub why: Option<&'a str>,
    pub origin: &'a Origin,
}

impl By<'_> {
    pub fn did<'a>(&'a self, what: What, about: About<'a>) -> Deed<'a> {
        Deed { who: self.who, what, about, change: Change::none(), why: None, origin: self.origin }
    }
}

impl<'a> Deed<'a> {
    #[must_use]
    pub fn with(self, change: Change) -> Self {
        Self { change, ..self }
    }

    #[must_use]
    pub fn because(self, why: &'a str) -> Self {
        Self { why: Some(why), ..self }
    }
}

impl Origin {
    pub const NONE: Self = Self { session: None, address: None, request: None };

    fn session_prefix(&self) -> Option<String> {
        self.session.map(|[a, b, c, d, ..]| format!("{:08x}", u32::from_be_bytes([a, b, c, d])))
    }

    fn network(&self) -> Option<String> {
        self.address.map(network)
    }
}

/// As much of an address as is kept and shown: not the address itself, but its /24, or its /48 of IPv6.
pub fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    }
}

/// Writes one entry, in the caller's transaction. From here to its end every other writer of entries waits: it is to be the
/// last statement.
///
/// Errors: whatever the database refuses; the caller's transaction is lost then, and so is what it did.
pub async fn record(db: &mut PgConnection, deed: &Deed<'_>) -> Result<()> {
    record_all(db, std::slice::from_ref(deed)).await
}

/// Writes an entry for each deed, in their order and in one statement.
pub async fn record_all(db: &mut PgConnection, deeds: &[Deed<'_>]) -> Result<()> {
    let whose: Vec<_> = deeds.iter().map(|deed| deed.who.columns()).collect();
    let about: Vec<_> = deeds.iter().map(|deed| deed.about.columns()).collect();
    sqlx::query!(
        r#"select count(audit_record(actor, actor_id, part, session, network, request, deed, about, about_id, change, why)) as "count!"
        from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::jsonb[], $11::text[])
            as deeds (actor, actor_id, part, session, network, request, deed, about, about_id, change, why)"#,
        &whose.iter().map(|(actor, ..)| *actor).collect::<Vec<_>>() as &[&str],
        &whose.iter().map(|(_, person, _)| *person).collect::<Vec<_>>() as &[Option<PersonId>],
        &whose.iter().map(|(.., part)| *part).collect::<Vec<_>>() as &[Option<&str>],
        &deeds.iter().map(|deed| deed.origin.session_prefix()).collect::<Vec<_>>() as &[Option<String>],
        &deeds.iter().map(|deed| deed.origin.network()).collect::<Vec<_>>() as &[Option<String>],
        &deeds.iter().map(|deed| deed.origin.request.clone()).collect::<Vec<_>>() as &[Option<String>],
        &deeds.iter().map(|deed| deed.what.as_str()).collect::<Vec<_>>() as &[&str],
        &about.iter().map(|(kind, _)| *kind).collect::<Vec<_>>() as &[&str],
        &about.iter().map(|(_, id)| id.clone()).collect::<Vec<_>>(),
        &deeds.iter().map(|deed| deed.change.as_json()).collect::<Vec<_>>(),
        &deeds.iter().map(|deed| deed.why).collect::<Vec<_>>() as &[Option<&str>],
    )
    .fetch_one(db)
    .await?;
    Ok(())
}

impl Who {
    /// As it is stored: the kind, the person, the part.
    const fn columns(self) -> (&'static str, Option<PersonId>, Option<&'static str>) {
        match self {
            Self::Person(person) => ("person", Some(person), None),
            Self::Operator(command) => ("operator", None, Some(command)),
            Self::System(part) => ("system", None, Some(part)),
            Self::Nobody => ("nobody", None, None),
        }
    }
}

impl About<'_> {
    /// As it is stored: the kind and the id.
    fn columns(&self) -> (&'static str, String) {
        match *self {
            Self::Person(person) => ("person", person.to_string()),
            Self::Address(address) => ("address", address.replace('\0', " ")),
            Self::Key(key) => ("api_key", key.to_string()),
            Self::Order(order) => ("order", order.to_string()),
            Self::Thing { kind, id } => (kind, id.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn of_an_address_only_its_network_is_kept() {
        let network = |text: &str| Origin { address: Some(text.parse().unwrap()), ..Origin::NONE }.network().unwrap();
        assert_eq!(network("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(network("::ffff:192.0.2.77"), "192.0.2.0/24");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1::/48");
    }

    #[test]
    fn of_a_session_only_the_beginning_is_kept() {
        let origin = Origin { session: Some([0xab; 32]), ..Origin::NONE };
        assert_eq!(origin.session_prefix().unwrap(), "abababab");
    }
}
