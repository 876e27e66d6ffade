//! The names that `databases` keeps for completion: who may read them, what is offered of them, and what is not.

use crate::harness::{RunOutput, skvs};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use testbed::couchdb::ORPHAN;

/// A run with a cache folder of its own.
fn run(cache: &Path, words: &[&str]) -> RunOutput {
    let folder = cache.display().to_string();
    skvs(words.iter().copied())
        .env("XDG_CACHE_HOME", &folder)
        .run()
}

fn complete(cache: &Path, words: &[&str]) -> String {
    let said = run(cache, &[&["__complete"], words].concat());
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    said.stdout
}

/// The one file of the cache.
fn file(cache: &Path) -> PathBuf {
    let all = fs::read_dir(cache.join("kubectl-skvs")).expect("the cache");
    let all: Vec<PathBuf> = all.map(|entry| entry.expect("an entry").path()).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path)
        .expect("it is there")
        .permissions()
        .mode()
        & 0o777
}

#[test]
fn orphans_are_offered_from_what_databases_kept() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path();
    let orphan = format!("{ORPHAN}\torphan\n");
    // Before that nothing, and above all no claimed database.
    assert_eq!(complete(cache, &["delete-db", ""]), ":4\n");
    run(cache, &["databases"]).ok();
    assert_eq!(mode(&cache.join("kubectl-skvs")), 0o700);
    assert_eq!(mode(&file(cache)), 0o600);
    let name = file(cache).file_name().unwrap().to_owned();
    let name = name.to_str().unwrap();
    let hash = name
        .strip_prefix("databases-")
        .and_then(|n| n.strip_suffix(".json"));
    assert!(hash.is_some_and(|h| h.len() == 32), "{name}");

    let offered = complete(cache, &["delete-db", ""]);
    assert!(offered.contains(&orphan), "{offered}");
    assert!(!offered.contains("pds_database"), "{offered}");
    let offered = complete(cache, &["backup", ""]);
    for name in [ORPHAN, "pds_database"] {
        assert!(offered.lines().any(|l| l == name), "{offered}");
    }
    assert!(!offered.contains("_users"), "{offered}");
    // Each name is typed to confirm it, and another CouchDB has other databases.
    assert_eq!(complete(cache, &["delete-db", "--confirm", ""]), ":4\n");
    let other = ["delete-db", "--couchdb-namespace", "other", ""];
    assert_eq!(complete(cache, &other), ":4\n");
    // What was narrowed is kept whole.
    fs::remove_file(file(cache)).unwrap();
    run(cache, &["databases", "--state", "in-use"]).ok();
    assert!(complete(cache, &["delete-db", ""]).contains(&orphan));
}

#[test]
fn a_cache_that_is_not_ones_own_is_as_good_as_none() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path();
    run(cache, &["databases", "-o", "name"]).ok();
    let path = file(cache);
    let whole = fs::read_to_string(&path).unwrap();
    let offered = || complete(cache, &["delete-db", ""]);
    assert!(offered().contains(ORPHAN));

    let aged = |seconds: i64| {
        let mut kept: serde_json::Value = serde_json::from_str(&whole).unwrap();
        kept["seen"] = (kept["seen"].as_i64().unwrap() - seconds).into();
        kept.to_string()
    };
    fs::write(&path, aged(300)).unwrap();
    assert!(offered().contains(ORPHAN));
    let (old, future) = (aged(601), aged(-601));
    let too_large = format!("{whole}{}", " ".repeat(1 << 20));
    for content in ["", "{", "null", &whole[1..], &old, &future, &too_large] {
        fs::write(&path, content).unwrap();
        assert_eq!(offered(), ":4\n", "{content:.80}");
    }
    fs::write(&path, &whole).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o622)).unwrap();
    assert_eq!(offered(), ":4\n");
    fs::remove_file(&path).unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::write(&elsewhere, &whole).unwrap();
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o600)).unwrap();
    symlink(&elsewhere, &path).unwrap();
    assert_eq!(offered(), ":4\n");
    // A link is replaced, and what it leads to is not written to.
    run(cache, &["databases", "-o", "name"]).ok();
    assert!(!path.symlink_metadata().unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), whole);

    let hostile = whole.replacen(
        "\"orphans\":[",
        r#""orphans":["$(touch pwned)","a_`id`","a_b c","a_\u001b[2J","-x","","fine_db","#,
        1,
    );
    assert_ne!(hostile, whole);
    fs::write(&path, &hostile).unwrap();
    let offered = offered();
    assert!(offered.starts_with("fine_db\torphan\n"), "{offered}");
    assert!(!offered.contains(['$', '`', '\u{1b}', ' ']), "{offered}");
}

#[test]
fn a_cache_that_cannot_be_written_is_no_trouble() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let said = run(&file, &["databases", "lima_events"]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    let said = run(&file, &["databases", "lima_events", "-v", "6"]);
    assert!(
        said.stderr.contains("names not cached for completion: "),
        "{}",
        said.stderr
    );
    assert_eq!(said.code, 0);
    assert_eq!(complete(&file, &["delete-db", ""]), ":4\n");
}

#[test]
fn two_runs_at_once_leave_one_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| run(cache, &["databases", "-o", "name"]).ok());
        }
    });
    let kept: serde_json::Value = serde_json::from_slice(&fs::read(file(cache)).unwrap()).unwrap();
    assert_eq!(kept["version"], 1);
    assert!(complete(cache, &["delete-db", ""]).contains(ORPHAN));
}
