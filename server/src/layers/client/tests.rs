#![expect(clippy::unwrap_used, reason = "tests")]

use http::HeaderValue;

use super::*;

fn client(proxies: &str, peer: &str, heard: &[&str]) -> String {
    let mut headers = HeaderMap::new();
    for value in heard {
        headers.append(FORWARDED_FOR, HeaderValue::from_str(value).unwrap());
    }
    proxies.parse::<Proxies>().unwrap().client(peer.parse().unwrap(), &headers).to_string()
}

#[test]
fn t59_a_strangers_word_about_itself_counts_for_nothing() {
    assert_eq!(client("", "203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
    assert_eq!(client("10.0.0.0/8", "203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
}

#[test]
fn t59_our_proxy_is_believed_and_what_it_was_told_is_not() {
    let ours = "10.0.0.0/8, 192.0.2.7";
    assert_eq!(client(ours, "10.1.2.3", &["203.0.113.9"]), "203.0.113.9");
    assert_eq!(client(ours, "10.1.2.3", &["1.1.1.1, 203.0.113.9"]), "203.0.113.9", "the left is the client's own word");
    assert_eq!(client(ours, "10.1.2.3", &["1.1.1.1", "203.0.113.9, 192.0.2.7"]), "203.0.113.9", "two of ours in a row");
    assert_eq!(client(ours, "10.1.2.3", &["203.0.113.9, nonsense"]), "10.1.2.3");
    assert_eq!(client(ours, "10.1.2.3", &[]), "10.1.2.3");
    assert_eq!(client("2001:db8::/32", "2001:db8::1", &["2001:db9::5"]), "2001:db9::5");
}

#[test]
fn t59_proxies_are_networks() {
    assert!("10.0.0.0/33".parse::<Proxies>().is_err());
    assert!("proxy.example".parse::<Proxies>().is_err());
}

fn for_us(hosts: &Hosts, uri: &str, said: &[&str]) -> bool {
    let mut headers = HeaderMap::new();
    for host in said {
        headers.append(header::HOST, HeaderValue::from_str(host).unwrap());
    }
    is_for_us(hosts, &uri.parse().unwrap(), &headers)
}

#[test]
fn t59_only_our_own_names_are_answered() {
    let hosts = Hosts::new("https://credits.example.com", &["internal.example:8443".to_owned()]);
    for fine in ["credits.example.com", "Credits.Example.com:443", "internal.example"] {
        assert!(for_us(&hosts, "/credits", &[fine]), "{fine}");
    }
    for foreign in ["evil.example", "credits.example.com.evil.example", "127.0.0.1", "localhost", ""] {
        assert!(!for_us(&hosts, "/credits", &[foreign]), "{foreign}");
    }
    assert!(!for_us(&hosts, "/credits", &[]), "no host at all");
    assert!(!for_us(&hosts, "/credits", &["credits.example.com", "evil.example"]), "two of them");
    assert!(!for_us(&hosts, "http://evil.example/credits", &["credits.example.com"]), "another in the request line");
}

#[test]
fn a_machine_of_ones_own_has_several_names() {
    let hosts = Hosts::new("http://127.0.0.1:3000", &[]);
    for fine in ["127.0.0.1:3000", "localhost:3000", "[::1]:3000", "127.0.0.1"] {
        assert!(for_us(&hosts, "/", &[fine]), "{fine}");
    }
    assert!(!for_us(&hosts, "/", &["rebound.evil.example:3000"]));
}
