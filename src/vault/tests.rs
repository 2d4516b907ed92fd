//! What the vault promises, for any content and any place.

#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::ids;

const TABLE: &str = "identity_grants";

fn vault(ids: &[&str]) -> Vault {
    let keys: Vec<SecretString> = ids.iter().map(|id| Vault::fresh_key(id)).collect();
    joined(&keys.iter().collect::<Vec<_>>())
}

fn joined(keys: &[&SecretString]) -> Vault {
    let text: Vec<&str> = keys.iter().map(|key| key.expose_secret()).collect();
    Vault::parse(&SecretString::from(text.join(","))).unwrap()
}

fn place(row: Uuid) -> Place<'static> {
    Place { table: TABLE, column: "sealed_access", row }
}

proptest! {
    #[test]
    fn what_is_sealed_opens_in_its_place_and_nowhere_else(
        plain in prop::collection::vec(any::<u8>(), 0..300),
        row in any::<[u8; 16]>(),
        other in any::<[u8; 16]>(),
        flip in any::<(prop::sample::Index, u8)>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let vault = vault(&["a"]);
        let here = place(Uuid::from_bytes(row));
        let sealed = vault.seal(here, &plain);
        let opened = vault.open(here, &sealed).unwrap();
        prop_assert_eq!(opened.expose_secret(), &plain[..]);

        let elsewhere = [
            Place { row: Uuid::from_bytes(other), ..here },
            Place { column: "sealed_refresh", ..here },
            Place { table: "identities", ..here },
            Place { table: "identity_grantssealed_access", column: "", ..here },
        ];
        for place in elsewhere.into_iter().filter(|place| *place != here) {
            prop_assert_eq!(vault.open(place, &sealed).unwrap_err(), Sealed::Foreign);
        }

        let (at, by) = flip;
        let mut changed = sealed.clone();
        changed[at.index(sealed.len())] ^= by;
        prop_assert_eq!(vault.open(here, &changed).is_ok(), by == 0);
        prop_assert!(vault.open(here, &sealed[..cut.index(sealed.len())]).is_err());
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(vault(&["a"]).open(place(Uuid::nil()), &bytes).is_err());
    }
}

#[test]
fn the_same_content_never_looks_the_same_and_never_shows() {
    let (vault, here) = (vault(&["a"]), place(ids::fresh()));
    let (one, two) = (vault.seal(here, b"a token to keep"), vault.seal(here, b"a token to keep"));
    assert_ne!(one, two);
    assert!(!one.windows(5).any(|part| part == b"token"));
}

#[test]
fn several_keys_open_and_the_first_seals() {
    let (old, new) = (Vault::fresh_key("2026-01"), Vault::fresh_key("2026-06"));
    let here = place(ids::fresh());
    let sealed = joined(&[&old]).seal(here, b"kept");
    let both = joined(&[&new, &old]);
    assert_eq!(both.open(here, &sealed).unwrap().expose_secret(), b"kept");
    assert_eq!(joined(&[&new]).open(here, &sealed).unwrap_err(), Sealed::UnknownKey);
    let again = both.seal(here, b"kept");
    assert!(again.starts_with(&both.beginning()) && !sealed.starts_with(&both.beginning()));
    assert!(joined(&[&new]).open(here, &again).is_ok());
    assert_eq!(
        joined(&[&Vault::fresh_key("2026-06")]).open(here, &again).unwrap_err(),
        Sealed::Foreign,
        "another key of that name"
    );
}

#[test]
fn weak_and_malformed_keys_are_refused_and_not_repeated() {
    let good = Vault::fresh_key("a");
    let good = good.expose_secret();
    let typed = format!("a:{}", STANDARD.encode(b"passwordpasswordpasswordpassword"));
    for (keys, why) in [
        ("", BadKeys::Form),
        ("a", BadKeys::Form),
        ("a:", BadKeys::Key),
        ("a:AAAA", BadKeys::Key),
        ("a:not base64 at all", BadKeys::Key),
        (&format!("A{}", &good[1..]), BadKeys::Id),
        (&format!("aaaaaaaaaaaaaaaaa{}", &good[1..]), BadKeys::Id),
        (&format!("{good},{good}"), BadKeys::Twice),
        (&format!("{good},"), BadKeys::Form),
        (&format!("a:{}", STANDARD.encode([7; 32])), BadKeys::Weak),
        (&typed, BadKeys::Weak),
    ] {
        let refused = Vault::parse(&SecretString::from(keys)).unwrap_err();
        assert_eq!(refused, why, "{keys}");
        assert!(keys.len() < 4 || !refused.to_string().contains(keys));
    }
}

#[test]
fn without_keys_nothing_is_sealed_and_nothing_opens() {
    let here = place(ids::fresh());
    assert_eq!(Vault::without_keys().seal(here, b"kept"), b"");
    assert_eq!(Vault::without_keys().open(here, &vault(&["a"]).seal(here, b"kept")).unwrap_err(), Sealed::UnknownKey);
    assert_eq!(Vault::without_keys().open(here, b"").unwrap_err(), Sealed::Unreadable);
}

#[test]
fn a_vault_shows_its_key_ids_and_nothing_else() {
    assert_eq!(format!("{:?}", vault(&["new", "old"])), r#"["new", "old"]"#);
}
