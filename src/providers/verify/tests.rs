//! The published vectors, an independent signer, and everything that must be refused.

#![expect(clippy::unwrap_used, reason = "tests")]

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use serde_json::Value;
use standardwebhooks::Webhook;

use super::*;

const SECRET: &str = "ws_7f3b1c9e5d2a4860b7c1e9f0a2d4c6b8e1f30527496b8dacef1032547698badc";
const OTHER_SECRET: &str = "ws_00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const NOW: i64 = 1_792_065_600;

fn secrets(current: &str, previous: Option<&str>) -> WebhookSecrets {
    WebhookSecrets::new(current.into(), previous.map(Into::into)).unwrap()
}

fn headers(values: &[(&str, &[u8])]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in values {
        map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_bytes(value).unwrap());
    }
    map
}

/// Signed by the published library, which shares no code with ours.
fn signature(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> String {
    Webhook::from_bytes(secret.as_bytes().to_vec()).unwrap().sign(id, timestamp, body).unwrap()
}

fn delivery(id: &str, timestamp: &str, signature: &str) -> HeaderMap {
    headers(&[
        ("webhook-id", id.as_bytes()),
        ("webhook-timestamp", timestamp.as_bytes()),
        ("webhook-signature", signature.as_bytes()),
    ])
}

#[test]
fn every_published_vector_is_judged_as_it_says() {
    let file: Value = serde_json::from_str(include_str!("../../../tests/vectors/standard-webhooks.json")).unwrap();
    let mut seen = 0;
    for vector in file["vectors"].as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let pairs: Vec<(&str, &[u8])> = vector["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap().as_bytes()))
            .collect();
        let verdict = secrets(vector["secret"].as_str().unwrap(), None).verify(
            &headers(&pairs),
            vector["body"].as_str().unwrap(),
            vector["now_unix"].as_i64().unwrap(),
        );
        // The other schemes stand in the file so that they are refused here, whatever their own verifier says.
        let is_ours = vector["scheme"] == "whop-standard-webhooks";
        if is_ours && vector["expect"] == "accept" {
            assert_eq!(verdict.unwrap().body(), vector["body"].as_str().unwrap().as_bytes(), "{name}");
        } else {
            let rejection = verdict.unwrap_err();
            if is_ours {
                let expected: &[Rejection] = match vector["reason"].as_str().unwrap() {
                    "missing_headers" => &[Rejection::MissingHeader],
                    "invalid_headers" => &[Rejection::Id, Rejection::Timestamp],
                    "timestamp_too_old" => &[Rejection::Stale],
                    "timestamp_too_new" => &[Rejection::Future],
                    "signature_mismatch" | "no_matching_signature" => &[Rejection::Signature],
                    other => panic!("{name}: {other}"),
                };
                assert!(expected.contains(&rejection), "{name}: {rejection:?}");
            }
        }
        seen += 1;
    }
    assert_eq!(seen, 36);
}

#[test]
fn both_secrets_are_good_during_a_rotation_and_it_is_known_which() {
    let both = secrets(SECRET, Some(OTHER_SECRET));
    for (secret, used) in [(SECRET, SecretUsed::Current), (OTHER_SECRET, SecretUsed::Previous)] {
        let signed = delivery("msg_1", &NOW.to_string(), &signature(secret, "msg_1", NOW, b"{}"));
        let verified = both.verify(&signed, *b"{}", NOW).unwrap();
        assert_eq!((verified.id(), verified.timestamp(), verified.secret_used()), ("msg_1", NOW, used));
    }
    let old = delivery("msg_1", &NOW.to_string(), &signature(OTHER_SECRET, "msg_1", NOW, b"{}"));
    assert_eq!(secrets(SECRET, None).verify(&old, *b"{}", NOW).unwrap_err(), Rejection::Signature);
}

#[test]
fn t14_the_previous_secret_is_refused_from_its_end_on() {
    let end = OffsetDateTime::from_unix_timestamp(NOW + 60).unwrap();
    let both = secrets(SECRET, Some(OTHER_SECRET)).previous_until(end);
    let at = |secret: &str, now: i64| {
        let signed = delivery("msg_1", &now.to_string(), &signature(secret, "msg_1", now, b"{}"));
        both.verify(&signed, *b"{}", now).map(|verified| verified.secret_used())
    };
    assert_eq!(at(OTHER_SECRET, NOW + 59), Ok(SecretUsed::Previous));
    for now in [NOW + 60, NOW + 86_400] {
        assert_eq!(at(OTHER_SECRET, now), Err(Rejection::Retired));
        assert_eq!(at(SECRET, now), Ok(SecretUsed::Current));
        assert_eq!(at("ws_of_nobody_0123456789abcdef", now), Err(Rejection::Signature));
    }
}

#[test]
fn weak_secrets_are_refused_at_construction() {
    for weak in ["", "whsec_", "ws_2345678901234567890_"] {
        assert_eq!(WebhookSecrets::new(weak.into(), None).unwrap_err(), WeakSecret::TooShort);
        assert_eq!(WebhookSecrets::new(SECRET.into(), Some(weak.into())).unwrap_err(), WeakSecret::TooShort);
    }
    assert!(WebhookSecrets::new("ws_23456789012345678901_".into(), None).is_ok());
    assert_eq!(WebhookSecrets::new(format!("{SECRET}\n").into(), None).unwrap_err(), WeakSecret::Padded);
}

#[test]
fn strange_timestamps_are_refused_however_they_are_signed() {
    for timestamp in [
        "-9223372036854775808",
        "-1",
        "+1792065600",
        "1792065600.0",
        "1792065600 ",
        "0x1",
        "９",
        "9223372036854775808",
        "99999999999999999999999999",
    ] {
        let signature = signature(SECRET, "msg_1", NOW, b"{}");
        let signed = delivery("msg_1", timestamp, &signature);
        assert_eq!(
            secrets(SECRET, None).verify(&signed, *b"{}", NOW).unwrap_err(),
            Rejection::Timestamp,
            "{timestamp}"
        );
    }
    for (timestamp, now, rejection) in [
        (0, NOW, Rejection::Stale),
        (i64::MAX, NOW, Rejection::Future),
        (i64::MAX, i64::MIN, Rejection::Future),
        (NOW, NOW + 301, Rejection::Stale),
        (NOW, NOW - 301, Rejection::Future),
    ] {
        let signed = delivery("msg_1", &timestamp.to_string(), &signature(SECRET, "msg_1", timestamp, b"{}"));
        assert_eq!(secrets(SECRET, None).verify(&signed, *b"{}", now).unwrap_err(), rejection);
    }
}

#[test]
fn ids_that_can_be_cut_in_two_ways_are_refused() {
    let long = "a".repeat(256);
    for id in ["msg.1", "msg 1", "msg/1", "é", &long] {
        let signed = delivery(id, &NOW.to_string(), &signature(SECRET, id, NOW, b"{}"));
        assert_eq!(secrets(SECRET, None).verify(&signed, *b"{}", NOW).unwrap_err(), Rejection::Id, "{id}");
    }
    let longest = "a".repeat(255);
    let signed = delivery(&longest, &NOW.to_string(), &signature(SECRET, &longest, NOW, b"{}"));
    assert!(secrets(SECRET, None).verify(&signed, *b"{}", NOW).is_ok());
}

#[test]
fn a_header_that_comes_twice_is_refused_even_when_it_says_the_same() {
    let good = delivery("msg_1", &NOW.to_string(), &signature(SECRET, "msg_1", NOW, b"{}"));
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let mut twice = good.clone();
        twice.append(name, good[name].clone());
        assert_eq!(secrets(SECRET, None).verify(&twice, *b"{}", NOW).unwrap_err(), Rejection::RepeatedHeader);
        let mut absent = good.clone();
        absent.remove(name);
        assert_eq!(secrets(SECRET, None).verify(&absent, *b"{}", NOW).unwrap_err(), Rejection::MissingHeader);
    }
}

#[test]
fn neither_secrets_nor_bodies_are_printed() {
    let secrets = secrets(SECRET, Some(OTHER_SECRET));
    let signed = delivery("msg_1", &NOW.to_string(), &signature(SECRET, "msg_1", NOW, b"ana@example.com"));
    let printed = format!("{secrets:?} {:?}", secrets.verify(&signed, *b"ana@example.com", NOW).unwrap());
    for leak in [&SECRET[3..], &OTHER_SECRET[3..], "ana@example.com", "97, 110"] {
        assert!(!printed.contains(leak), "{printed}");
    }
}

fn header_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(prop_oneof![32_u8..=126, 128_u8..=255], 0..300),
        "[0-9+-]{0,25}".prop_map(String::into_bytes),
        "(v1,|v1a,|,| |[A-Za-z0-9+/=]){0,60}".prop_map(String::into_bytes),
        "[A-Za-z0-9_-]{1,40}".prop_map(String::into_bytes),
    ]
}

proptest! {
    #[test]
    fn nothing_unsigned_is_believed_and_nothing_panics(
        id in header_bytes(), timestamp in header_bytes(), signature in header_bytes(),
        body in prop::collection::vec(any::<u8>(), 0..200), now in any::<i64>(),
    ) {
        let map = headers(&[("webhook-id", &id), ("webhook-timestamp", &timestamp), ("webhook-signature", &signature)]);
        prop_assert!(secrets(SECRET, Some(OTHER_SECRET)).verify(&map, body, now).is_err());
    }

    #[test]
    fn garbage_with_a_good_age_is_stopped_by_the_signature(
        signature in header_bytes(), body in prop::collection::vec(any::<u8>(), 0..200), off in -300_i64..=300,
    ) {
        prop_assume!(!signature.is_empty());
        let map = headers(&[
            ("webhook-id", b"msg_1"), ("webhook-timestamp", NOW.to_string().as_bytes()), ("webhook-signature", &signature),
        ]);
        prop_assert_eq!(secrets(SECRET, None).verify(&map, body, NOW + off).unwrap_err(), Rejection::Signature);
    }

    #[test]
    fn what_another_library_signs_is_believed_unless_one_bit_changes(
        id in "[A-Za-z0-9_-]{1,60}", timestamp in 0_i64..4_000_000_000, off in -300_i64..=300,
        body in ".{1,200}".prop_map(String::into_bytes), bit in any::<prop::sample::Index>(),
    ) {
        let signed = delivery(&id, &timestamp.to_string(), &signature(SECRET, &id, timestamp, &body));
        let secrets = secrets(SECRET, None);
        prop_assert!(secrets.verify(&signed, body.clone(), timestamp + off).is_ok());
        let mut changed = body;
        let bit = bit.index(changed.len() * 8);
        changed[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(secrets.verify(&signed, changed, timestamp + off).unwrap_err(), Rejection::Signature);
    }
}
