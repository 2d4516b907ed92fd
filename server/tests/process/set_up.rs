//! A program that nobody has set up yet: it starts, says how to get in, and is strict again once there is an admin.

use std::io::Read as _;
use std::process::Command;

use super::{Place, Running, said};

const NO_KEYS: [(&str, &str); 1] = [("PAYMENT_PROVIDER", "whop")];

/// Stops it and gives what it logged.
fn log_of(mut running: Running) -> String {
    let mut stderr = running.child.stderr.take().unwrap();
    running.stop();
    let mut log = String::new();
    stderr.read_to_string(&mut log).unwrap();
    log
}

fn code_in(text: &str) -> &str {
    text.split_once("enter the code ").unwrap().1[..27].trim()
}

#[test]
fn without_keys_it_waits_to_be_set_up_until_there_is_an_admin() {
    let place = Place::new();
    let running = Running::start_with(&place, &NO_KEYS);
    let page = running.get("/set-up");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("Code from the log"), "{page}");
    let early = running.send(&format!(
        "POST /api/webhooks/whop HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}",
        running.address
    ));
    assert!(early.starts_with("HTTP/1.1 503") && early.to_lowercase().contains("retry-after"), "{early}");
    let made = place.command("set-up").arg("code").output().unwrap();
    let made = String::from_utf8(made.stdout).unwrap();
    assert_eq!(code_in(&made).len(), 27, "{made}");
    let mut user = place.command("user");
    assert!(user.args(["create", "boss@example.com", "--role", "admin"]).output().unwrap().status.success());
    assert!(running.get("/set-up").starts_with("HTTP/1.1 404"), "asked at each request");
    let refused = said(&place.command("set-up").arg("code").output().unwrap());
    assert!(refused.contains("there is an admin"), "{refused}");
    let log = log_of(running);
    assert_ne!(code_in(&log), code_in(&made), "each is new");

    let with = |settings: &[(&str, &str)]| -> Command {
        let mut command = place.command("serve");
        command.envs(settings.iter().copied());
        command
    };
    let refused = said(&with(&NO_KEYS).output().unwrap());
    for name in ["WHOP_API_KEY is missing", "WHOP_COMPANY_ID is missing", "WHOP_WEBHOOK_SECRET is missing"] {
        assert!(refused.contains(name), "{name} in {refused}");
    }
    assert!(!refused.contains("enter the code"), "{refused}");
    assert!(place.postmaster().is_none(), "no database is left behind");
    assert!(!log_of(Running::start(&place)).contains("enter the code"), "an admin is there");
}
