//! What is saved comes back equal.

use super::couch::{all, figure, odd, put, run, set, text};
use crate::delete_db::stage::{PASSWORD, Stage};
use crate::harness::skvs;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_database_comes_back_as_it_was() {
    let stage = Stage::open("stage-backup");
    odd(&stage, "saved_db", 1200);
    for (limit, value) in [("_revs_limit", 2000), ("_purged_infos_limit", 777)] {
        set(&stage, &format!("/saved_db/{limit}"), value);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("saved.gz");
    let to = file.to_str().unwrap();

    let said = run(&stage, &["backup", "saved_db", "--to", to, "-v", "9"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(
        said.stdout,
        format!("database \"saved_db\" saved to {to}\n")
    );
    let (before, count, security) = all("saved_db");
    assert!(
        said.stderr.contains(&format!(
            "Saved {} documents ({} revisions, 1 deletion, 4 attachments) as CouchDB counts them; ",
            "1,207", "1,210"
        )),
        "{}",
        said.stderr
    );
    assert_eq!((before.len(), count), (1210, 1207));
    assert!(!file.with_extension("gz.part").exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // The credentials are neither in the file nor in what was said.
    let text = text(&file);
    let basic = STANDARD.encode(format!("admin:{PASSWORD}"));
    for secret in [PASSWORD, basic.as_str(), "100%d", "100%25d"] {
        assert!(!text.contains(secret) && !said.stderr.contains(secret));
    }
    assert!(text.starts_with("{\"header\":{\"format\":2,"));
    assert!(text.lines().next().unwrap().contains("\"shard_suffix\""));

    // A script confirms, and names the cluster.
    let words = ["restore", to, "--to", "saved_copy"];
    let stderr = run(&stage, &words).failed(4);
    assert!(
        stderr.starts_with("error: not confirmed: without a terminal"),
        "{stderr}"
    );
    let words = [
        "restore",
        to,
        "--to",
        "saved_copy",
        "--confirm",
        "saved_copy",
    ];
    let said = run(&stage, &words);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(
        said.stdout,
        "database \"saved_copy\" restored to stage-backup namespace\n"
    );
    for line in [
        "This creates a database and writes a backup into it.",
        "  Backup       of saved_db, begun ",
        "Checked: 1,207 documents, and each of the file's 1,210 revisions.",
    ] {
        assert!(said.stderr.contains(line), "{}", said.stderr);
    }
    assert_eq!(all("saved_copy"), (before.clone(), count, security));
    // The limits are there before the first document.
    let seen = stage.front.requests();
    let at = |path: &str| {
        seen.iter()
            .position(|r| r.method != "GET" && r.path == path)
    };
    let first = at("/saved_copy/_bulk_docs").expect("documents are written");
    for (limit, value) in [("_revs_limit", 2000), ("_purged_infos_limit", 777)] {
        let path = format!("/saved_copy/{limit}");
        assert!(at(&path).is_some_and(|set| set < first), "{limit}");
        assert_eq!(figure(&stage, &path), value);
    }
    let verified = skvs(["backup", "verify", to]).run().ok();
    for line in [
        " is whole\n",
        "  Documents   1,207 (1,210 revisions, 1 deletion, 4 attachments)\n",
    ] {
        assert!(verified.contains(line), "{verified}");
    }

    // It exists now; merging the same again changes nothing.
    stage.front.forget_requests();
    let stderr = run(&stage, &words).failed(4);
    assert!(
        stderr.starts_with("error: refused: database saved_copy exists and has 1,207 documents\n"),
        "{stderr}"
    );
    let writes = |stage: &Stage| {
        let all = stage.front.requests();
        all.iter()
            .filter(|r| r.method == "PUT" || r.path.contains("_bulk_docs"))
            .count()
    };
    assert_eq!(writes(&stage), 0);
    let merge = [&words[..], &["--into-existing"]].concat();
    run(&stage, &merge).ok();
    assert!(writes(&stage) > 0);
    assert_eq!(all("saved_copy").0, before);
}

#[test]
fn a_database_that_is_written_to_is_saved_up_to_a_sequence() {
    let stage = Stage::open("stage-backup-busy");
    odd(&stage, "busy_db", 2500);
    let before = all("busy_db").0;
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("busy.gz");
    let to = to.to_str().unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                let id = format!("late-{n}");
                put(
                    "busy_db",
                    &json!([{"_id": id, "_rev": "1-l", "_revisions": {"start": 1, "ids": ["l"]}}]),
                );
            }
        });
        let said = run(&stage, &["backup", "busy_db", "--to", to]);
        done.store(true, Ordering::Relaxed);
        assert_eq!(said.code, 0, "{}", said.stderr);
    });
    let words = ["restore", to, "--to", "busy_copy", "--confirm", "busy_copy"];
    run(&stage, &words).ok();
    let (copy, now) = (all("busy_copy").0, all("busy_db").0);
    assert!(
        before
            .iter()
            .all(|(key, document)| copy.get(key) == Some(document))
    );
    assert!(
        copy.iter()
            .all(|(key, document)| now.get(key) == Some(document))
    );
    // Written since: it is in no file, so the deletion is refused.
    assert!(now.len() > copy.len());
}
