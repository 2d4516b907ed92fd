//! Whop's live hosts, its sandbox's, or a stand-in on this machine: all settings must mean the same one (T80). Whop's keys
//! look alike in all of them, so only the hosts and our own demo's keys can tell.

use std::collections::BTreeSet;

/// What `make demo` makes its keys begin with.
const DEMO_KEY: &str = "apik_demo_";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum World {
    Live,
    Sandbox,
    ThisMachine,
}

/// What is set up of Whop.
pub struct Settings<'a> {
    /// Where requests go: only those that are used.
    pub urls: &'a [&'a str],
    pub api_key: &'a str,
    /// Whether people reach us over https: then somebody means it.
    pub is_public: bool,
}

/// Sentences for what does not belong together.
pub fn problems(settings: &Settings<'_>) -> Vec<String> {
    let worlds: BTreeSet<World> = settings.urls.iter().filter_map(|url| world(url)).collect();
    let mut problems = Vec::new();
    if worlds.len() > 1 {
        problems.push(
            "WHOP_API_URL, WHOP_OAUTH_URL and WHOP_WEB_URL must all be Whop's own hosts, or its sandbox's, or this machine's: \
             money that is paid in one of them is not known in another"
                .to_owned(),
        );
    }
    if worlds.contains(&World::ThisMachine) && settings.is_public {
        problems.push(
            "WHOP_API_URL and WHOP_WEB_URL lead to a stand-in on this machine, where anybody could pay with nothing, but \
             ATLAS_PUBLIC_URL is https: set Whop's hosts, or leave ATLAS_PUBLIC_URL on this machine"
                .to_owned(),
        );
    }
    if worlds.iter().any(|world| *world != World::ThisMachine) && settings.api_key.starts_with(DEMO_KEY) {
        problems.push("WHOP_API_KEY is the demo's, which Whop does not know".to_owned());
    }
    problems
}

/// None: a host that could be anything, an own gateway perhaps.
fn world(url: &str) -> Option<World> {
    let host = super::addresses::without_port(url.split_once("://")?.1.split('/').next().unwrap_or_default());
    match host {
        "api.whop.com" | "whop.com" | "www.whop.com" => Some(World::Live),
        "sandbox-api.whop.com" | "sandbox.whop.com" => Some(World::Sandbox),
        _ => super::addresses::is_loopback(host).then_some(World::ThisMachine),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVE: [&str; 2] = ["https://api.whop.com/api/v1", "https://whop.com"];
    const SANDBOX: [&str; 2] = ["https://sandbox-api.whop.com/api/v1", "https://sandbox.whop.com"];
    const HERE: [&str; 2] = ["http://127.0.0.1:4010/api/v1", "http://[::1]:4010"];

    fn count(urls: &[&str], api_key: &str, is_public: bool) -> usize {
        problems(&Settings { urls, api_key, is_public }).len()
    }

    #[test]
    fn t80_live_keys_and_hosts_of_the_sandbox_do_not_mix() {
        for (urls, is_public) in [(LIVE, true), (LIVE, false), (SANDBOX, true), (SANDBOX, false), (HERE, false)] {
            assert_eq!(count(&urls, "apik_1", is_public), 0, "{urls:?} {is_public}");
        }
        assert_eq!(count(&["https://gateway.example.com/whop", LIVE[1]], "apik_1", true), 0);
        for (api, web) in [(LIVE[0], SANDBOX[1]), (SANDBOX[0], LIVE[1]), (HERE[0], LIVE[1]), (LIVE[0], HERE[1])] {
            assert_eq!(count(&[api, web], "apik_1", false), 1, "{api} {web}");
        }
    }

    #[test]
    fn t80_nobody_pays_with_nothing_at_a_public_address() {
        assert_eq!(count(&HERE, "apik_1", true), 1);
        assert_eq!(count(&HERE, "apik_demo_1", false), 0);
        assert_eq!(count(&LIVE, "apik_demo_1", true), 1);
    }
}
