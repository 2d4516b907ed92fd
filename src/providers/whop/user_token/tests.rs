#![expect(clippy::unwrap_used, reason = "tests")]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::*;

// Two key pairs made for these tests; they open nothing.
const KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"miSUMd3hIKJ0K8vJxQQEdOQFIXU6h7MsyVcDdU3cSwc","y":"AgbDnPy4e68LxaketRMRcYvoanJRoNXK6r_eJ341Hcc"}"#;
const OTHER_KEY: &str = r#"{"kty":"EC","crv":"P-256","kid":"other","x":"nSEmgkfASFTGe26O5zgCeZU1MLDfBTq6OykV09A4J3U","y":"XOZynHw0Nm4IkprE52FnLbY4cyZlB9TzqCkB0f2o9Fo"}"#;
const PRIVATE: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgENrzv9b8SoDVVz1/1KlKKEPRfXCWTjL5788bnbKlS4GhRANCAASaJJQx3eEgonQry8nFBAR05AUhdTqHsyzJVwN1TdxLBwIGw5z8uHuvC8WpHrUTEXGL6GpyUaDVyuq/3id+NR3H";
const OTHER_PRIVATE: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgcS2xct+v75LbdU+lwT/jn1TBaiP6MLEGSZconuPR6/uhRANCAASdISaCR8BIVMZ7bo7nOAJ5lTUwsN8FOro7KRXT0DgndVzmcpx8NDZuCJKaxOdhZy22OHMmZQfU86gpAdH9qPRa";

const NOW: i64 = 1_795_000_000;

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(NOW).unwrap()
}

fn claims() -> Value {
    json!({ "sub": "user_ana", "aud": "app_ours", "iss": ISSUER, "exp": NOW + 60, "iat": NOW })
}

fn sign(private: &str, id: Option<&str>, claims: &Value) -> String {
    let header = Header { kid: id.map(str::to_owned), ..Header::new(Algorithm::ES256) };
    encode(&header, claims, &EncodingKey::from_ec_der(&STANDARD.decode(private).unwrap())).unwrap()
}

fn tokens(keys: &str) -> UserTokens {
    UserTokens::new("app_ours", keys).unwrap()
}

#[test]
fn t56_a_token_of_whops_says_who_it_is() {
    let user = tokens(KEY).verify(&sign(PRIVATE, None, &claims()), now()).unwrap();
    assert_eq!(user.subject(), "user_ana");
}

#[test]
fn t56_a_key_is_chosen_by_its_id() {
    let named = KEY.replacen('{', r#"{"kid":"one","#, 1);
    let set = tokens(&format!(r#"{{"keys":[{named},{OTHER_KEY}]}}"#));
    assert!(set.verify(&sign(PRIVATE, Some("one"), &claims()), now()).is_ok());
    assert!(set.verify(&sign(OTHER_PRIVATE, Some("other"), &claims()), now()).is_ok());
    assert_eq!(set.verify(&sign(PRIVATE, Some("other"), &claims()), now()), Err(BadToken::Claims));
    assert_eq!(set.verify(&sign(PRIVATE, Some("unheard of"), &claims()), now()), Err(BadToken::Key));
    assert_eq!(set.verify(&sign(PRIVATE, None, &claims()), now()), Err(BadToken::Key));
}

#[test]
fn t56_a_token_of_others_for_others_or_of_yesterday_is_none() {
    let tokens = tokens(KEY);
    for (name, value) in [
        ("aud", json!("app_theirs")),
        ("aud", json!(["app_ours"])),
        ("iss", json!("https://api.whop.com")),
        ("exp", json!(NOW)),
        ("exp", json!(i64::MIN)),
        ("exp", json!("soon")),
        ("sub", json!("")),
        ("sub", json!("u".repeat(SUBJECT_BYTES_MAX + 1))),
    ] {
        let mut bent = claims();
        bent[name] = value.clone();
        assert!(tokens.verify(&sign(PRIVATE, None, &bent), now()).is_err(), "{name} {value}");
    }
    for name in ["sub", "aud", "iss", "exp"] {
        let mut lacking = claims();
        lacking.as_object_mut().unwrap().remove(name);
        assert!(tokens.verify(&sign(PRIVATE, None, &lacking), now()).is_err(), "without {name}");
    }
    assert!(tokens.verify(&sign(OTHER_PRIVATE, None, &claims()), now()).is_err());
}

#[test]
fn t56_a_token_that_says_it_needs_no_signature_or_another_is_none() {
    let tokens = tokens(KEY);
    let good = sign(PRIVATE, None, &claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let body = signed.split_once('.').unwrap().1;
    let head = |text: &str| URL_SAFE_NO_PAD.encode(text);
    for forged in [
        format!("{}.{body}.", head(r#"{"alg":"none"}"#)),
        format!("{}.{body}.{signature}", head(r#"{"alg":"HS256"}"#)),
        format!("{}.{body}.{signature}", head(r#"{"alg":"ES384"}"#)),
        format!("{signed}."),
        format!("{signed}.{}", &signature[1..]),
        signed.to_owned(),
        String::new(),
        "..".to_owned(),
        "a".repeat(TOKEN_BYTES_MAX + 1),
    ] {
        assert!(tokens.verify(&forged, now()).is_err(), "{forged}");
    }
}

#[test]
fn keys_of_another_kind_are_refused_at_start() {
    let rsa = r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#;
    let p384 = r#"{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}"#;
    for keys in ["", "{}", "[]", r#"{"keys":[]}"#, rsa, p384, "-----BEGIN PUBLIC KEY-----"] {
        assert_eq!(UserTokens::new("app_ours", keys).map(drop), Err(BadKeys), "{keys}");
    }
    assert_eq!(UserTokens::new("", KEY).map(drop), Err(BadKeys));
}
