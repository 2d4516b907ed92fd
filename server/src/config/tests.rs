#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use clap::Parser;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    config: Config,
}

fn config(arguments: &[&str]) -> Config {
    // Whoever runs the tests may have a database of theirs in the environment.
    let none: &[&str] = if arguments.contains(&"--database-url") { &[] } else { &["--database-url", ""] };
    Cli::try_parse_from([&["atlas"], none, arguments].concat()).unwrap().config
}

#[test]
fn everything_missing_is_said_at_once() {
    let said = config(&["--whop-api-key", "", "--public-url", "credits.example.com"]).problems().join("\n");
    for name in ["WHOP_API_KEY", "WHOP_WEBHOOK_SECRET", "WHOP_COMPANY_ID", "ATLAS_PUBLIC_URL"] {
        assert!(said.contains(name), "{name} in {said}");
    }
}

#[test]
fn a_short_webhook_secret_is_refused_and_not_repeated() {
    let said = config(&["--whop-webhook-secret", "ws_short_one"]).problems().join("\n");
    assert!(said.contains("WHOP_WEBHOOK_SECRET is too short"), "{said}");
    assert!(!said.contains("ws_short_one"));
}

#[test]
fn t14_a_previous_secret_needs_an_end() {
    let previous = ["--whop-webhook-secret-previous", "ws_the_one_before_0123456789abcdef"];
    let missing = "WHOP_WEBHOOK_SECRET_PREVIOUS_UNTIL must say";
    assert!(config(&previous).problems().join("\n").contains(missing));
    for (until, is_fine) in [("2026-11-22T12:00:00Z", true), ("2026-11-22", false), ("soon", false), ("", false)] {
        let arguments = [&previous[..], &["--whop-webhook-secret-previous-until", until]].concat();
        assert_eq!(!config(&arguments).problems().join("\n").contains(missing), is_fine, "{until:?}");
    }
    assert!(!config(&["--whop-webhook-secret-previous", ""]).problems().join("\n").contains(missing));
}

#[test]
fn secrets_do_not_show_in_debug() {
    let shown = format!("{:?}", config(&["--whop-api-key", "apik_secret", "--database-url", "postgres://u:pw@h/d"]));
    assert!(!shown.contains("apik_secret") && !shown.contains("pw@h"), "{shown}");
}

#[test]
fn mail_needs_a_sender_and_an_encrypted_way() {
    let said = |arguments: &[&str]| config(&[&["--payment-provider", "manual"], arguments].concat()).problems();
    assert_eq!(said(&["--smtp-url", ""]), Vec::<String>::new(), "an empty variable is none");
    assert_eq!(said(&["--smtp-url", "smtps://u:secret@mail.example.com", "--mail-from", "a@example.com"]).len(), 0);
    for arguments in [
        ["--smtp-url", "smtps://u:secret@mail.example.com", "--mail-from", "nobody"],
        ["--smtp-url", "smtp://u:secret@mail.example.com", "--mail-from", "a@example.com"],
    ] {
        let said = said(&arguments);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(!said[0].contains("secret"), "{said:?}");
    }
}

#[test]
fn without_a_provider_nothing_of_whop_is_needed() {
    assert_eq!(config(&["--payment-provider", "manual"]).problems(), Vec::<String>::new());
}

#[test]
fn t80_plain_http_is_refused_unless_it_stays_on_this_machine() {
    let said = |url: &str| config(&["--payment-provider", "manual", "--public-url", url]).problems();
    assert_eq!(said("http://credits.example.com").len(), 1);
    for fine in ["https://credits.example.com", "http://localhost:3000", "http://[::1]:3000", "http://127.0.0.1/"] {
        assert_eq!(said(fine), Vec::<String>::new(), "{fine}");
    }
}

#[test]
fn t80_staff_can_do_without_a_second_factor_on_this_machine_only() {
    let said = |arguments: &[&str]| {
        config(&[&["--payment-provider", "manual", "--require-second-factor", "off"], arguments].concat()).problems()
    };
    for local in [&[][..], &["--public-url", "http://localhost:3000"], &["--public-url", "http://[::1]:3000"]] {
        assert_eq!(said(local), Vec::<String>::new());
    }
    for public in [["--public-url", "https://credits.example.com"], ["--listen", "0.0.0.0:3000"]] {
        assert!(said(&public).join("\n").contains("ATLAS_REQUIRE_SECOND_FACTOR"), "{public:?}");
    }
}

#[test]
fn a_public_url_is_an_origin_and_nothing_more() {
    for bad in ["https://a.example/b", "ftp://a.example", "https://u@a.example", "https://", "a.example"] {
        assert!(parse_public_url(bad).is_none(), "{bad}");
    }
    assert_eq!(parse_public_url("https://a.example:8443/"), Some(("https", "a.example")));
}

#[test]
fn whop_is_set_up_beside_requests_once_everything_is_there() {
    let key = "apik_for_tests_0123456789";
    let secret = "ws_a_secret_for_tests_alone_0123456789";
    let keys = ["--whop-api-key", key, "--whop-webhook-secret", secret, "--whop-company-id", "biz_test"];
    let manual = |arguments: &[&str]| config(&[&["--payment-provider", "manual"], arguments].concat());
    assert!(manual(&keys).sets_up_whop(), "so that a rollout can begin with nobody on it");
    for missing in 0..3 {
        let some: Vec<&str> =
            keys.chunks(2).enumerate().filter(|(nth, _)| *nth != missing).flat_map(|(_, pair)| pair).copied().collect();
        let config = manual(&some);
        assert!(!config.sets_up_whop() && config.problems().is_empty(), "{some:?}");
    }
    assert!(config(&keys).sets_up_whop());
}
