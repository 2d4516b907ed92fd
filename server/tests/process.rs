//! The program as an operator meets it: started, killed, started again, on a private database of its own.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "process/doctor.rs"]
mod doctor;
#[path = "process/set_up.rs"]
mod set_up;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A data folder and a built site, removed in the end with whatever still runs there.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        let root = std::env::temp_dir().join(format!("atlas-it-{}", atlas::ids::fresh().simple()));
        fs::create_dir_all(root.join("site/pkg")).unwrap();
        for (file, content) in [
            ("hash.txt", "js: 1\nwasm: 2\ncss: 3\n"),
            ("pkg/atlas.1.js", ""),
            ("pkg/atlas.2.wasm", ""),
            ("pkg/atlas.3.css", ""),
        ] {
            fs::write(root.join("site").join(file), content).unwrap();
        }
        Self(root)
    }

    fn cluster(&self) -> PathBuf {
        self.0.join("data/postgres")
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_atlas"));
        command.arg(verb).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        command.env("ATLAS_DATA_DIR", self.0.join("data")).env("ATLAS_SITE_DIR", self.0.join("site"));
        command.env("ATLAS_LISTEN", "127.0.0.1:0").env("PAYMENT_PROVIDER", "manual");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn postmaster(&self) -> Option<String> {
        let note = fs::read_to_string(self.cluster().join("data/postmaster.pid")).ok()?;
        note.lines().next().map(str::to_owned)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(pid) = self.postmaster() {
            let _ = Command::new("kill").args(["-QUIT", &pid]).status();
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Running {
    child: Child,
    address: String,
}

impl Running {
    fn start(place: &Place) -> Self {
        Self::start_with(place, &[])
    }

    fn start_with(place: &Place, settings: &[(&str, &str)]) -> Self {
        let mut child = place.command("serve").envs(settings.iter().copied()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some(address) = line.trim().strip_prefix("atlas listening on http://") else {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("not started: {said}");
        };
        Self { child, address: address.to_owned() }
    }

    fn get(&self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address))
    }

    fn send(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn stop(mut self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

fn said(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A dead process that nobody has collected yet has no command line.
fn is_alive(pid: &str) -> bool {
    fs::read_to_string(Path::new("/proc").join(pid).join("cmdline")).is_ok_and(|line| !line.is_empty())
}

/// `pg_ctl` comes back when the pid file is gone, a moment before the process is.
fn dies(pid: &str) -> bool {
    let deadline = Instant::now() + Duration::from_secs(10);
    while is_alive(pid) && Instant::now() < deadline {
        std::thread::yield_now();
    }
    !is_alive(pid)
}

#[test]
fn a_fresh_start_is_ready_and_stops_with_its_database() {
    let place = Place::new();
    let running = Running::start(&place);
    let ready = running.get("/readyz");
    assert!(ready.starts_with("HTTP/1.1 200") && ready.contains("\"migrations\":\"applied\""), "{ready}");
    assert!(running.get("/healthz").starts_with("HTTP/1.1 200"));
    let postmaster = place.postmaster().unwrap();
    assert!(is_alive(&postmaster));
    running.stop();
    assert!(dies(&postmaster));
}

#[test]
fn a_killed_program_finds_its_database_again() {
    let place = Place::new();
    let mut running = Running::start(&place);
    let postmaster = place.postmaster().unwrap();
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    assert!(is_alive(&postmaster), "the database outlives us");
    let running = Running::start(&place);
    assert_eq!(place.postmaster().unwrap(), postmaster);
    assert!(running.get("/readyz").starts_with("HTTP/1.1 200"));
    running.stop();
    assert!(dies(&postmaster));
}

#[test]
fn a_second_server_is_refused_and_a_command_may_join() {
    let place = Place::new();
    let running = Running::start(&place);
    let refused = said(&place.command("serve").output().unwrap());
    assert!(refused.contains(&format!("another Atlas (process {}) already runs", running.child.id())), "{refused}");
    let joined = place.command("migrate").output().unwrap();
    assert!(joined.status.success(), "{}", String::from_utf8_lossy(&joined.stderr));
    assert!(running.get("/readyz").starts_with("HTTP/1.1 200"), "the command left the database running");
    running.stop();
}

#[test]
fn a_key_is_made_shown_once_used_and_revoked() {
    let place = Place::new();
    let running = Running::start(&place);
    let run = |arguments: &[&str]| {
        let output = place.command("key").args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let made = run(&["create", "--name", "Shop", "--app", "shop"]);
    let key = made.trim().rsplit(' ').next().unwrap();
    assert!(key.starts_with("cred_live_"), "{made}");
    let owner = atlas::ids::fresh();
    let spend = |key: &str| {
        let body = format!(r#"{{"owner": "{owner}", "credits": 1}}"#);
        running.send(&format!(
            "POST /api/v1/spend HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\
             idempotency-key: 1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            running.address,
            body.len()
        ))
    };
    let answer = spend(key);
    assert!(answer.starts_with("HTTP/1.1 404") && answer.contains("unknown_owner"), "{answer}");

    let listed: serde_json::Value = serde_json::from_str(&run(&["list", "--json"])).unwrap();
    assert_eq!((&listed[0]["name"], &listed[0]["counter"]), (&"Shop".into(), &"consumed:shop".into()));
    assert!(listed[0]["last_used_at"].is_string() && listed[0]["revoked_at"].is_null(), "{listed}");
    assert!(!listed.to_string().contains(&key[14..]), "it is not shown again");
    run(&["revoke", listed[0]["id"].as_str().unwrap()]);
    assert!(spend(key).starts_with("HTTP/1.1 401"));
    let unknown = said(&place.command("key").args(["revoke", &owner.to_string()]).output().unwrap());
    assert!(unknown.contains("there is no key"), "{unknown}");
    running.stop();
}

#[test]
fn a_cluster_of_another_major_version_is_refused() {
    let place = Place::new();
    Running::start(&place).stop();
    fs::write(place.cluster().join("data/PG_VERSION"), "9\n").unwrap();
    let refused = said(&place.command("serve").output().unwrap());
    assert!(refused.contains("made by PostgreSQL 9, but only version"), "{refused}");
}

#[test]
fn a_half_made_cluster_is_made_anew() {
    let place = Place::new();
    let half_made = place.cluster().join("data.partial");
    fs::create_dir_all(half_made.join("base")).unwrap();
    fs::write(half_made.join("PG_VERSION"), "15\n").unwrap();
    let running = Running::start(&place);
    assert!(running.get("/readyz").starts_with("HTTP/1.1 200"));
    assert!(!half_made.exists());
    running.stop();
}

#[test]
fn a_note_of_a_dead_server_does_not_hinder_even_if_its_number_lives() {
    let place = Place::new();
    Running::start(&place).stop();
    // As after a restart of the machine: the number now belongs to someone else, here to this test.
    let note = format!("{}\n/elsewhere\n1\n5432\n/nowhere\n", std::process::id());
    fs::write(place.cluster().join("data/postmaster.pid"), note).unwrap();
    Running::start(&place).stop();
}

#[test]
fn a_port_in_use_names_the_setting() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = said(&place.command("serve").env("ATLAS_LISTEN", &address).output().unwrap());
    assert!(refused.contains(&format!("{address} is in use; set ATLAS_LISTEN")), "{refused}");
    assert!(place.postmaster().is_none(), "no database was started for nothing");
}

#[test]
fn an_incomplete_configuration_is_said_at_once() {
    let place = Place::new();
    let mut command = place.command("serve");
    command.env("PAYMENT_PROVIDER", "whop").env("WHOP_WEBHOOK_SECRET", "ws_tooshort");
    let refused = said(&command.output().unwrap());
    for part in ["WHOP_API_KEY is missing", "WHOP_WEBHOOK_SECRET is too short", "WHOP_COMPANY_ID is missing"] {
        assert!(refused.contains(part), "{part} in {refused}");
    }
    assert!(!refused.contains("ws_tooshort"));
}
