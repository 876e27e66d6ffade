//! `delete-db --backup`: no deletion without a whole file.

use super::couch::{all, ask, figures, odd, run};
use crate::delete_db::stage::Stage;
use crate::terminal::Terminal;
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;
use testbed::couchdb::Fault;

struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

#[test]
fn a_deleted_database_comes_back_from_its_file() {
    let stage = Stage::open("stage-backup-first");
    odd(&stage, "first_db", 30);
    let before = all("first_db");
    let folder = Folder::new();
    let file = folder.file("f.gz");
    let to = file.to_str().unwrap();
    let words = [
        "delete-db",
        "first_db",
        "--confirm",
        "first_db",
        "--backup",
        to,
    ];
    let said = run(&stage, &words);
    assert_eq!(said.code, 0, "{}", said.stderr);
    for told in [
        "This saves a database to a file, then deletes it and all its documents.\n",
        &format!("\n  Backup       {to}\n"),
        &format!(
            "\nhint: to put it back: kubectl skvs restore {to} --to first_db --couchdb-namespace {} --context sandbox\n",
            stage.namespace
        ),
    ] {
        assert!(said.stderr.contains(told), "no {told:?}: {}", said.stderr);
    }
    assert!(!said.stderr.contains("undone"), "{}", said.stderr);
    let saved = said.stderr.find("Saved 37 documents").expect("it is told");
    assert!(saved < said.stderr.find("Checked on 3 of 3").expect("it is told"));
    assert!(!stage.front.exists("first_db"));
    // On a terminal: input typed ahead does not answer, the name does.
    let namespace = ["--couchdb-namespace", stage.namespace];
    let words = ["restore", to, "--to", "first_db", "--context", "sandbox"];
    let words = [words.as_slice(), &namespace].concat();
    for (answer, code) in [
        ("first_d\r", 4),
        ("\u{4}", 4),
        ("\u{3}", 130),
        ("first_db\r", 0),
    ] {
        let mut terminal = Terminal::skvs(&words);
        terminal.press("first_db\r");
        terminal.expect("This creates a database");
        terminal.expect("Type first_db to write it: ");
        assert!(!stage.front.exists("first_db"));
        terminal.press(answer);
        let said = terminal.end();
        assert_eq!(said.code, code, "{answer:?}: {}", said.stdout);
        assert_eq!(stage.front.exists("first_db"), code == 0);
    }
    assert_eq!(all("first_db"), before);
    // The name is taken: nothing is deleted for a file that would be replaced.
    let words = [
        "delete-db",
        "first_db",
        "--confirm",
        "first_db",
        "--backup",
        to,
    ];
    let stderr = run(&stage, &words).failed(1);
    assert!(stderr.contains("exists already"), "{stderr}");
    assert_eq!(stage.deletes(), 1);
}

/// The feed may come from the copy that is stale: the file says so, and a restore says it again.
#[test]
fn a_backup_while_a_member_catches_up_says_so() {
    let stage = Stage::open("stage-backup-stale");
    stage.front.create_database("stale_db", 3).unwrap();
    let member = stage.front.members()[1].clone();
    stage.front.set_system(&member, 41, 3);
    let folder = Folder::new();
    let file = folder.file("s.gz");
    let to = file.to_str().unwrap();
    let words = |more: &[&'static str]| {
        let words = [
            "delete-db",
            "stale_db",
            "--confirm",
            "stale_db",
            "--backup",
            to,
        ];
        run(&stage, &[&words[..], more].concat())
    };
    let stderr = words(&[]).failed(4);
    assert!(
        stderr.contains("--accept=catching-up") && !file.exists(),
        "{stderr}"
    );
    words(&["--accept", "catching-up"]).ok();
    assert!(!stage.front.exists("stale_db"));
    let back = ["restore", to, "--to", "stale_db", "--confirm", "stale_db"];
    let said = run(&stage, &back);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let stale = format!("it may be stale: member {member} was started less than ten minutes ago");
    assert!(said.stderr.contains(&stale), "{}", said.stderr);
}

#[test]
fn a_short_backup_stops_the_deletion() {
    let stage = Stage::open("stage-backup-short");
    stage.front.create_database("short_db", 5).unwrap();
    let mut info = figures(&stage, "short_db");
    info["doc_count"] = json!(6);
    stage
        .front
        .plant(Fault::answer("GET", "/short_db", 200, info).times(100));
    let folder = Folder::new();
    let file = folder.file("s.gz");
    let words = [
        "delete-db",
        "short_db",
        "--confirm",
        "short_db",
        "--backup",
        file.to_str().unwrap(),
    ];
    let stderr = run(&stage, &words).failed(4);
    for line in [
        "Nothing was deleted: without a whole backup the DELETE is not sent.\n",
        "error: the backup of database \"short_db\" failed: short: CouchDB counts 6 documents, the file has 5\n",
        "s.gz.part; run the same command to resume\n",
    ] {
        assert!(stderr.contains(line), "{stderr}");
    }
    assert!(!file.exists() && folder.file("s.gz.part").exists());
    assert!(stage.front.exists("short_db") && stage.deletes() == 0);
}

#[test]
fn what_is_written_behind_the_backup_stops_the_deletion() {
    let stage = Stage::open("stage-backup-late");
    stage.front.create_database("late_db", 5).unwrap();
    // The plan and the last look ask for the members, the backup does not.
    let pause = Duration::from_secs(3);
    stage
        .front
        .plant(Fault::slow("GET", "/_membership", pause).times(2));
    let folder = Folder::new();
    let file = folder.file("l.gz");
    let words = [
        "delete-db",
        "late_db",
        "--confirm",
        "late_db",
        "--backup",
        file.to_str().unwrap(),
        // What is written before the backup ends is in the file.
        "--accept=writes",
    ];
    let said = std::thread::scope(|scope| {
        let run = scope.spawn(|| run(&stage, &words));
        testbed::wait("the last look", Duration::from_secs(60), || {
            (stage.front.count("GET", "/_membership") == 2).then_some(())
        })
        .expect("it comes");
        let (status, _) = ask("PUT", "/late_db/late", Some(&json!({"v": 1})));
        assert_eq!(status, 201);
        run.join().expect("it ends")
    });
    let stderr = said.failed(4);
    assert!(
        stderr.contains(
            "error: refused: since the plan was made, the database was written to after it was backed up\n"
        ),
        "{stderr}"
    );
    assert!(stage.front.exists("late_db") && stage.deletes() == 0);
    assert!(file.exists());
}
