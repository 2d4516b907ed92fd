//! Moving in, as an operator does it: the real program, on a made-up old database with damage of every kind.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../../bench/src/legacy.rs"]
mod made_up;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use sqlx::postgres::PgPoolCopyExt as _;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgPool};

use made_up::{Planted, Wish};

const PEOPLE: usize = 400;
const TRANSACTIONS: usize = 3_000;

/// A data folder with an old database beside it, removed in the end with the private one that runs there.
struct Place {
    root: PathBuf,
    planted: Planted,
}

impl Place {
    fn new(wish: Wish) -> Self {
        let root = std::env::temp_dir().join(format!("atlas-it-{}", atlas::ids::fresh().simple()));
        fs::create_dir_all(&root).unwrap();
        let planted = made_up::make(wish, &root.join("old")).unwrap();
        let place = Self { root, planted };
        assert!(place.atlas(&["plan", "defaults"]).status.success());
        place
    }

    fn old(&self) -> String {
        self.root.join("old").display().to_string()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_atlas"));
        command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        command.env("ATLAS_DATA_DIR", self.root.join("data")).env("PAYMENT_PROVIDER", "manual");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn atlas(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.atlas(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The report names each kind that was planted, and as often; and nothing else.
    fn finds_what_was_planted(&self, report: &Value) {
        let mut found: Vec<(&str, usize)> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| (finding["code"].as_str().unwrap(), finding["rows"].as_u64().unwrap().try_into().unwrap()))
            .collect();
        let mut planted = self.planted.clone();
        found.sort_unstable();
        planted.sort_unstable();
        assert_eq!(found, planted);
    }

    fn audits_clean(&self) {
        let audit = self.json(&["ledger", "audit", "--json"]);
        assert_eq!(audit["findings"].as_array().unwrap().len(), 0, "{audit}");
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let note = fs::read_to_string(self.root.join("data/postgres/data/postmaster.pid")).unwrap_or_default();
        if let Some(pid) = note.lines().next() {
            let _ = Command::new("kill").args(["-QUIT", pid]).status();
        }
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn said(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_damaged_database_is_reported_imported_once_and_adds_up() {
    let place = Place::new(Wish { profiles: PEOPLE, transactions: TRANSACTIONS, seed: 1 });
    let old = place.old();
    let looked = place.json(&["import", "legacy", &old, "--dry-run", "--json"]);
    place.finds_what_was_planted(&looked);
    assert_eq!(looked["not_read"], serde_json::json!(["user_profiles.avatar_url"]));
    assert_eq!(looked["people"]["read"], PEOPLE);
    assert_eq!(looked["transactions"]["read"], TRANSACTIONS);
    assert_eq!(looked["imported"], Value::Null);

    let differing = place.json(&["import", "legacy", &old, "--dry-run", "--json", "--rows", "balance_differs"]);
    let rows = differing["rows"].as_array().unwrap();
    assert!(rows.len() > 1 && rows.iter().all(|row| row["credits"] != row["history"]), "{rows:?}");

    let unasked = said(&place.atlas(&["import", "legacy", &old]));
    assert!(unasked.contains("say --yes"), "{unasked}");
    let strict = said(&place.atlas(&["import", "legacy", &old, "--yes", "--strict"]));
    assert!(strict.contains("nothing was imported"), "{strict}");

    let first = place.json(&["import", "legacy", &old, "--yes", "--json"]);
    place.finds_what_was_planted(&first);
    for (table, due, made) in
        [("people", "new", "people"), ("orders", "due", "orders"), ("transactions", "due", "transactions")]
    {
        let also = if table == "people" { first["people"]["merged"].as_u64().unwrap() } else { 0 };
        assert_eq!(looked[table], first[table], "looking had changed nothing");
        assert_eq!(first["imported"][made].as_u64().unwrap(), first[table][due].as_u64().unwrap() + also, "{table}");
        assert_eq!(first["imported"][made], first["here"][made]);
    }
    assert_eq!(first["here"]["balances"], first["people"]["credits_due"]);
    assert_eq!(first["here"]["balances"], first["here"]["granted"]);
    assert_eq!(first["here"]["history"], first["transactions"]["credits"]);
    place.audits_clean();

    // The dump holds the same rows.
    for again in [old.clone(), format!("{old}/dump.sql")] {
        let second = place.json(&["import", "legacy", &again, "--yes", "--json"]);
        for made in ["people", "lots", "orders", "transactions"] {
            assert_eq!(second["imported"][made], 0, "{again}: {made}");
            assert_eq!(second["here"][made], first["here"][made], "{again}: {made}");
        }
        assert_eq!(second["people"]["there"], first["here"]["people"]);
        assert_eq!(second["here"]["granted"], first["here"]["granted"]);
    }
    place.audits_clean();
    let deeds = place.json(&["audit", "list", "--deed", "legacy_imported", "--json"]);
    assert_eq!(deeds.as_array().unwrap().len(), 1, "a run that changes nothing leaves no entry");
}

#[test]
fn a_killed_import_goes_on_where_it_was() {
    let place = Place::new(Wish { profiles: 4_000, transactions: 13_000, seed: 2 });
    let old = place.old();
    let arguments = ["import", "legacy", &old, "--yes", "--json"];
    let mut killed = place.command(&arguments).spawn().unwrap();
    let lines = BufReader::new(killed.stderr.take().unwrap()).lines().map(Result::unwrap);
    // Half of the people are here then, but for the few that are left out.
    assert!(lines.into_iter().any(|line| line == "Importing: 10 %"));
    killed.kill().unwrap();
    assert!(!killed.wait().unwrap().success(), "it was killed before its end");

    let output = place.atlas(&arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("Reading"), "what was read once is not read again: {said}");
    let rest: Value = serde_json::from_slice(&output.stdout).unwrap();
    place.finds_what_was_planted(&rest);
    let (there, imported, here) = (&rest["people"]["there"], &rest["imported"]["people"], &rest["here"]["people"]);
    assert!(there.as_u64().unwrap() >= 1_900 && imported.as_u64().unwrap() > 0, "{rest}");
    assert_eq!(there.as_u64().unwrap() + imported.as_u64().unwrap(), here.as_u64().unwrap());
    assert_eq!(rest["here"]["balances"], rest["here"]["granted"]);
    assert_eq!(rest["here"]["transactions"], rest["transactions"]["due"]);
    place.audits_clean();
}

#[sqlx::test(migrations = false)]
async fn the_old_database_itself_gives_what_its_files_gave(pool: PgPool) {
    let place = Place::new(Wish { profiles: PEOPLE, transactions: TRANSACTIONS, seed: 3 });
    let old = place.old();
    for table in ["user_profiles", "credit_orders", "credit_transactions"] {
        // A database holds no such bytes; other ones that are as wrong for us it does.
        let possible = |byte| if matches!(byte, 0 | 0xfe | 0xff) { 1 } else { byte };
        let rows: Vec<u8> = fs::read(format!("{old}/{table}.csv")).unwrap().into_iter().map(possible).collect();
        let names = String::from_utf8(rows.split(|byte| *byte == b'\n').next().unwrap().to_vec()).unwrap();
        let columns: Vec<String> = names.trim().split(',').map(|name| format!("{name} text")).collect();
        let create = format!("create table {table} ({})", columns.join(", "));
        sqlx::query(AssertSqlSafe(create)).execute(&pool).await.unwrap();
        let mut copy = pool.copy_in_raw(&format!("copy {table} from stdin (format csv, header)")).await.unwrap();
        copy.send(rows).await.unwrap();
        copy.finish().await.unwrap();
    }
    let url = pool.connect_options().to_url_lossy().to_string();
    let from_files = place.json(&["import", "legacy", &old, "--dry-run", "--json"]);
    let first = place.json(&["import", "legacy", &url, "--yes", "--json"]);
    place.finds_what_was_planted(&first);
    for part in ["people", "orders", "transactions"] {
        assert_eq!(first[part], from_files[part], "{part}");
    }
    assert_eq!(first["here"]["balances"], first["people"]["credits_due"]);
    let second = place.json(&["import", "legacy", &old, "--yes", "--json"]);
    for made in ["people", "lots", "orders", "transactions"] {
        assert_eq!(second["imported"][made], 0, "{made}");
    }
    assert_eq!(second["here"], first["here"]);
    place.audits_clean();
}
