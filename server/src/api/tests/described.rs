//! The description, against the routes that there are and the answers that they give.

use std::collections::BTreeSet;

use boon::{Compiler, Schemas};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use crate::api::openapi::TEXT;
use crate::rights::{DOORS, Kind};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn description() -> Value {
    serde_json::from_str(&TEXT).unwrap()
}

/// Every object has the members that are named, and no others: what is sent is what is described.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.contains_key("properties") {
                members.insert("additionalProperties".to_owned(), json!(false));
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => (),
    }
}

/// The path as the description has it, for an address.
fn template(address: &str) -> String {
    let words: Vec<&str> = address.split('/').collect();
    match words.as_slice() {
        ["", "api", "admin", thing, _] => format!("/api/admin/{thing}/{{id}}"),
        _ => address.to_owned(),
    }
}

/// Fails unless this is an answer that the description allows.
#[track_caller]
pub fn answers(method: &Method, address: &str, status: StatusCode, headers: &HeaderMap, body: &Value) {
    let mut description = description();
    let path = template(address);
    let operation = &description["paths"][&path][method.as_str().to_lowercase()];
    if operation.is_null() {
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path} is not described");
        return;
    }
    let responses = &operation["responses"];
    let (exact, class) = (status.as_u16().to_string(), format!("{}XX", status.as_u16() / 100));
    let response = responses.get(&exact).or_else(|| responses.get(&class));
    let response = response.unwrap_or_else(|| panic!("{method} {path}: {status} is not described: {body}"));
    let Some(content) = response.get("content") else {
        assert!(body.is_null(), "{method} {path}: {status} has no body: {body}");
        return;
    };
    let kind = headers["content-type"].to_str().unwrap();
    let schema = content.get(kind).unwrap_or_else(|| panic!("{method} {path}: {status} as {kind}"))["schema"].clone();
    close(&mut description["components"]);
    let whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "components": description["components"],
        "allOf": [schema],
    });
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.enable_format_assertions();
    compiler.add_resource("atlas.json", whole).unwrap();
    let index = compiler.compile("atlas.json", &mut schemas).unwrap();
    if let Err(error) = schemas.validate(body, index) {
        panic!("{method} {path}: {status}: {error:#}\n{body:#}");
    }
}

#[test]
fn every_json_route_is_described_and_nothing_else() {
    let description = description();
    let described: BTreeSet<&str> = description["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let served: BTreeSet<&str> = DOORS.iter().filter(|door| door.kind == Kind::Api).map(|door| door.path).collect();
    assert_eq!(described, served);
    for (path, operations) in description["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            assert!(METHODS.contains(&method.as_str()), "{method} {path}");
            assert!(!operation["security"].as_array().unwrap().is_empty(), "{method} {path}: who may?");
            assert!(operation["summary"].is_string(), "{method} {path}: what for?");
        }
    }
}

#[test]
fn the_copy_that_is_kept_is_the_one_that_is_served() {
    let kept = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json")).unwrap();
    assert!(kept == *TEXT, "renew it: cargo run -q -p server --bin atlas -- openapi > docs/openapi.json");
}

#[test]
#[should_panic(expected = "additionalProperties")]
fn a_member_that_is_not_described_is_seen() {
    let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, "application/json".parse().unwrap())]);
    let body = json!({ "orders": [], "next": null, "total": 0 });
    answers(&Method::GET, "/api/credit-orders", StatusCode::OK, &headers, &body);
}
