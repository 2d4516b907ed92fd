//! Buyers, as Whop keeps them: a user, and the same person as a member of this account.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::clock::Moment;
use crate::world::{Record, World};

/// Free key/value data that a seller attaches to things.
pub type Metadata = Map<String, Value>;

/// A person with a Whop user and, once they bought something, a membership of the account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Person {
    /// `user_...`
    pub id: String,
    /// `mber_...`
    pub member_id: String,
    pub email: Option<String>,
    pub username: String,
    pub name: Option<String>,
    /// The one who owns the account and its API key.
    pub is_owner: bool,
    pub created_at: Moment,
}

impl Record for Person {
    const KIND: &'static str = "person";

    fn id(&self) -> &str {
        &self.id
    }

    fn created_at(&self) -> Moment {
        self.created_at
    }
}

/// The account needs an owner: `GET /users/me` with the account's key answers with them.
pub fn ensure_owner(world: &mut World) {
    if !world.people.newest().any(|person| person.is_owner) {
        add(world, None, "seller", Some("Sandbox Seller"), true);
    }
}

/// The person with this e-mail address, made on their first visit. Without an address each visit is a new guest.
pub fn visitor(world: &mut World, email: Option<&str>) -> Person {
    let email = email.map(|email| email.trim().to_lowercase()).filter(|email| !email.is_empty());
    let known = email.as_ref().and_then(|email| world.people.newest().find(|it| it.email.as_ref() == Some(email)));
    if let Some(known) = known {
        return known.clone();
    }
    let stem: String = match &email {
        Some(email) => email.chars().take_while(|letter| *letter != '@').filter(char::is_ascii_alphanumeric).collect(),
        None => "guest".to_owned(),
    };
    let username = format!("{stem}{}", world.ids.word(4).to_lowercase());
    add(world, email, &username, None, false)
}

fn add(world: &mut World, email: Option<String>, username: &str, name: Option<&str>, is_owner: bool) -> Person {
    let person = Person {
        id: world.ids.fresh("user_"),
        member_id: world.ids.fresh("mber_"),
        email,
        username: username.to_owned(),
        name: name.map(str::to_owned),
        is_owner,
        created_at: Moment::now(),
    };
    world.people.put(person.clone());
    person
}

/// The short form that payments carry (Whop API, `UserSummary`).
pub fn summary(world: &World, person: &Person) -> Value {
    json!({
        "id": person.id,
        "username": person.username,
        "name": person.name,
        "profile_picture": { "url": format!("{}/icons/person.svg", world.settings.public_url) },
    })
}

/// The user by itself. Only people themselves, here the owner, see their e-mail address.
pub fn view(world: &World, person: &Person) -> Value {
    json!({
        "id": person.id,
        "username": person.username,
        "name": person.name,
        "bio": null,
        "banner": null,
        "email": if person.is_owner { person.email.as_deref() } else { None },
        "profile_picture": { "url": format!("{}/icons/person.svg", world.settings.public_url) },
        "social_links": [],
        "created_at": person.created_at,
    })
}
