//! `atlas doctor` as an operator meets it: everything that can be wrong is made wrong, and has to be named with a way to mend it.

use std::process::Command;

use clap::Parser as _;
use sandbox::options::Options;
use sandbox::webhooks::endpoints;
use serde_json::Value;

use super::{Place, Running};

const KEY: &str = "apik_a_canary_that_nobody_may_see_1";
const SECRET: &str = "ws_a_canary_that_nobody_may_see_2_0123456789";
const COMPANY: &str = "biz_Doctor01";

/// What the doctor says.
struct Told {
    checks: Vec<Value>,
    text: String,
    code: i32,
}

impl Told {
    /// Runs it twice, for people and for programs. Nothing secret may be in either.
    fn by(command: impl Fn() -> Command) -> Self {
        let json = command().arg("--json").output().unwrap();
        let text = command().output().unwrap();
        assert_eq!(json.status.code(), text.status.code());
        let said = [&json.stdout, &json.stderr, &text.stdout, &text.stderr].map(|said| String::from_utf8_lossy(said));
        for canary in ["canary", KEY, SECRET] {
            assert!(!said.iter().any(|said| said.contains(canary)), "{canary} in {said:?}");
        }
        let checks = serde_json::from_slice(&json.stdout).unwrap_or_else(|error| panic!("{error}: {said:?}"));
        Self { checks, text: said[2].to_string(), code: json.status.code().unwrap() }
    }

    #[track_caller]
    fn check(&self, subject: &str, state: &str, found: &str, mend: &str) {
        let of_it: Vec<&Value> = self.checks.iter().filter(|check| check["subject"] == subject).collect();
        let is_it = |check: &&&Value| {
            check["state"] == state
                && check["found"].as_str().unwrap().contains(found)
                && check["mend"].as_str().unwrap_or_default().contains(mend)
        };
        assert!(of_it.iter().any(|check| is_it(&check)), "{subject} {state} {found} {mend}: {of_it:?}");
    }
}

#[test]
fn the_doctor_leads_from_nothing_to_a_shop_that_stands() {
    let place = Place::new();
    let doctor = || place.command("doctor");
    let nothing = Told::by(|| {
        let mut command = doctor();
        command.env("PAYMENT_PROVIDER", "whop");
        command
    });
    nothing.check("Database", "warning", "there is none yet", "Start atlas serve");
    nothing.check("Whop keys", "bad", "WHOP_API_KEY and WHOP_COMPANY_ID missing", "open /set-up");
    nothing.check("Webhook secret", "bad", "nothing that Whop says can be believed", "WHOP_WEBHOOK_SECRET");
    nothing.check("Webhook", "skipped", "it takes the keys", "");
    nothing.check("People and books", "skipped", "the database is not there", "");
    nothing.check("Public address", "warning", "this machine only", "ATLAS_PUBLIC_URL");
    nothing.check("Data folder", "good", "can be written", "");
    assert_eq!(nothing.code, 1);
    assert!(!place.cluster().exists(), "it makes nothing");

    let running = Running::start(&place);
    let begun = Told::by(doctor);
    begun.check("Database", "good", "PostgreSQL", "");
    begun.check("Schema", "good", "migrations are applied", "");
    begun.check("Database role", "good", "no more", "");
    begun.check("Clock", "good", "agree", "");
    begun.check("Encryption keys", "good", "can be read", "");
    begun.check("Whop API", "skipped", "PAYMENT_PROVIDER is not whop", "");
    begun.check("Admins", "bad", "there is none", "/set-up");
    begun.check("Plans", "bad", "none is on sale", "atlas plan defaults");
    assert_eq!(begun.code, 1);

    let mut plans = place.command("plan");
    assert!(plans.arg("defaults").status().unwrap().success());
    let mut admin = place.command("user");
    assert!(admin.args(["create", "boss@example.com", "--role", "admin"]).output().unwrap().status.success());
    let stands = Told::by(doctor);
    stands.check("Admins", "warning", "1 of 1 have no second factor", "set one up");
    stands.check("Plans", "good", "3 on sale", "");
    stands.check("Ledger", "good", "what the wallets hold", "");
    stands.check("Mail", "good", "kept in the outbox", "");
    assert_eq!(stands.code, 0, "warnings do not fail: {}", stands.text);
    assert!(stands.text.contains(" 0 bad."), "{}", stands.text);
    running.stop();
    let resting = Told::by(doctor);
    resting.check("Plans", "good", "3 on sale", "");
    assert!(place.postmaster().is_none(), "what it started it stopped");
}

#[test]
fn the_doctor_asks_whop_and_names_what_it_does_not_like() {
    let place = Place::new();
    let world = tokio::runtime::Runtime::new().unwrap();
    let whop = world.block_on(sandbox::start(&Options::parse_from([
        "sandbox",
        "--listen",
        "127.0.0.1:0",
        "--api-key",
        KEY,
        "--company-id",
        COMPANY,
        "--webhook-url",
        "",
    ])));
    let whop = whop.unwrap();
    let api_url = format!("http://{}/api/v1", whop.address);
    let doctor = |changes: &[(&str, &str)]| {
        Told::by(|| {
            let mut command = place.command("doctor");
            command
                .env("PAYMENT_PROVIDER", "whop")
                .env("WHOP_API_URL", &api_url)
                .env("WHOP_WEB_URL", "http://127.0.0.1:1");
            command.env("WHOP_API_KEY", KEY).env("WHOP_COMPANY_ID", COMPANY).env("WHOP_WEBHOOK_SECRET", SECRET);
            command.env("ATLAS_PUBLIC_URL", "http://127.0.0.1:3000").envs(changes.iter().copied());
            command
        })
    };
    let wrong_key = doctor(&[("WHOP_API_KEY", "apik_another_canary_of_nobody")]);
    wrong_key.check("Whop API", "bad", "refuses the API key (401)", "Set WHOP_API_KEY");
    wrong_key.check("Webhook", "skipped", "Whop has to let us in first", "");
    doctor(&[("WHOP_COMPANY_ID", "biz_Other")]).check("Whop API", "bad", COMPANY, "Set WHOP_COMPANY_ID");
    doctor(&[("WHOP_API_URL", "http://127.0.0.1:9/api/v1")]).check(
        "Whop API",
        "bad",
        "does not answer",
        "WHOP_API_URL",
    );
    let nowhere = format!("http://{}/nowhere", whop.address);
    let elsewhere = doctor(&[("WHOP_API_URL", &nowhere)]);
    elsewhere.check("Whop API", "bad", "may not read this account’s payments (404)", "WHOP_API_URL");
    let mixed =
        doctor(&[("WHOP_API_URL", "https://sandbox-api.whop.com/api/v1"), ("WHOP_WEB_URL", "https://whop.com")]);
    mixed.check("Configuration", "bad", "must all be Whop's own hosts", "docs/operate.md");

    doctor(&[]).check(
        "Webhook",
        "bad",
        "none of 0 webhooks at Whop leads to http://127.0.0.1:3000/api",
        "docs/operate.md, 3",
    );
    let hook = whop.sandbox.change(|world| {
        let hook = endpoints::add(world, "http://127.0.0.1:3000/api/webhooks/whop", None);
        let endpoint = world.endpoints.edit(&hook).unwrap();
        endpoint.enabled = false;
        endpoint.api_version_date = None;
        hook
    });
    let deaf = doctor(&[]);
    deaf.check("Webhook", "bad", "it is switched off", &hook);
    deaf.check("Webhook", "bad", "pinned to no version", &hook);
    deaf.check("Webhook", "bad", "payment.requires_action", &hook);
    deaf.check("Whop API", "good", COMPANY, "");
    whop.sandbox.change(|world| {
        let endpoint = world.endpoints.edit(&hook).unwrap();
        endpoint.enabled = true;
        endpoint.api_version_date = Some("2026-10-15-1".to_owned());
        endpoint
            .events
            .extend(["payment.requires_action", "payment.authorized", "payment.canceled"].map(str::to_owned));
    });
    let good = doctor(&[]);
    good.check("Webhook", "good", &hook, "");
    good.check("Webhook secret", "good", "there is one", "");
    doctor(&[("ATLAS_REQUIRE_MEMBERSHIP", "prod_1")]).check("Webhook", "good", &hook, "");
    world.block_on(whop.stop()).unwrap();
}

#[test]
fn the_doctor_names_what_keeps_it_from_database_disk_and_mail() {
    let place = Place::new();
    let doctor = |changes: &[(&str, &str)]| {
        Told::by(|| {
            let mut command = place.command("doctor");
            command.envs(changes.iter().copied());
            command
        })
    };
    let away = doctor(&[("DATABASE_URL", "postgres://atlas:canary@127.0.0.1:9/atlas")]);
    away.check("Database", "bad", "it does not answer", "DATABASE_URL");
    away.check("Encryption keys", "bad", "there are none", "ATLAS_ENCRYPTION_KEYS");
    away.check("Configuration", "bad", "ATLAS_ENCRYPTION_KEYS is missing", "docs/operate.md");
    away.check("Data folder", "skipped", "DATABASE_URL is set", "");
    let unreadable = doctor(&[("DATABASE_URL", "postgres://atlas:canary@[nowhere/atlas")]);
    unreadable.check("Database", "bad", "DATABASE_URL can't be read", "DATABASE_URL");
    let sealed = doctor(&[("ATLAS_ENCRYPTION_KEYS", "first:canary")]);
    sealed.check("Encryption keys", "bad", "32 bytes", "ATLAS_ENCRYPTION_KEYS");
    let file = place.0.join("a-file");
    std::fs::write(&file, "").unwrap();
    doctor(&[("ATLAS_DATA_DIR", file.join("data").to_str().unwrap())]).check(
        "Data folder",
        "bad",
        "is no folder",
        "ATLAS_DATA_DIR",
    );
    doctor(&[("ATLAS_PG_BIN", "/nowhere")]).check("Database", "bad", "no PostgreSQL found", "Install PostgreSQL");
    let mail = doctor(&[("SMTP_URL", "smtp://user:canary@127.0.0.1:9"), ("MAIL_FROM", "atlas@example.com")]);
    mail.check("Mail", "bad", "the mail server can’t be used", "SMTP_URL");
    let usage = place.command("doctor").arg("--nonsense").output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
}
