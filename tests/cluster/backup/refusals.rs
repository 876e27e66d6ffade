//! What is not begun.

use super::couch::{odd, run};
use crate::delete_db::stage::{Pod, Stage, USUAL};
use crate::harness::Skvs;
use testbed::Sandbox;
use testbed::couchdb::Fault;

#[test]
fn what_cannot_be_read_or_written_is_told_before_anything_is_made() {
    let stage = Stage::open("stage-backup-refused");
    odd(&stage, "refused_db", 3);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.gz");
    let to = file.to_str().unwrap();
    let backup = |database: &str| run(&stage, &["backup", database, "--to", to]);

    let stderr = backup("absent_db").failed(1);
    assert!(
        stderr.contains("database \"absent_db\" not found in CouchDB in "),
        "{stderr}"
    );
    for system in ["_users", "_dbs", "_replicator", "plain"] {
        assert!(
            backup(system)
                .failed(4)
                .contains("is not an onboarding's database")
        );
        let restore = ["restore", to, "--to", system, "--confirm", system];
        assert!(
            run(&stage, &restore)
                .failed(4)
                .contains("is not an onboarding's database")
        );
    }
    let kubeconfig = Sandbox::shared()
        .user("backup-nobody", &[], "")
        .expect("a user");
    let words = super::couch::args(&stage, &["backup", "refused_db", "--to", to]);
    let stderr = Skvs::with(&kubeconfig, words).run().failed(1);
    assert!(stderr.contains("orbidden"), "{stderr}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    std::fs::write(&file, "precious").unwrap();
    let stderr = backup("refused_db").failed(1);
    assert!(
        stderr.contains("r.gz exists already\nhint: choose another name"),
        "{stderr}"
    );
    assert_eq!(std::fs::read(&file).unwrap(), b"precious");
    run(&stage, &["backup", "refused_db", "--to", to, "--force"]).ok();

    // A file that was cut is told before the cluster is asked for anything.
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 40]).unwrap();
    stage.front.forget_requests();
    let words = [
        "restore",
        to,
        "--to",
        "refused_copy",
        "--confirm",
        "refused_copy",
    ];
    let stderr = run(&stage, &words).failed(1);
    assert!(
        stderr.contains("r.gz is not a whole backup: it is cut: its end is missing"),
        "{stderr}"
    );
    assert!(stage.front.requests().is_empty());
}

#[test]
fn wrong_credentials_are_tried_once() {
    let wrong = Pod {
        password: "wrong",
        ..USUAL
    };
    let stage = Stage::with("stage-backup-wrong", &wrong);
    stage.front.create_database("wrong_db", 1).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("w.gz");
    let said = run(
        &stage,
        &["backup", "wrong_db", "--to", to.to_str().unwrap()],
    );
    assert!(said.failed(1).contains("401 unauthorized"));
    assert_eq!(stage.front.requests().len(), 1);
}

#[test]
#[cfg(unix)]
fn a_part_that_is_somebody_elses_is_not_touched() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let stage = Stage::open("stage-backup-links");
    odd(&stage, "linked_db", 3);
    let folder = tempfile::tempdir().unwrap();
    let (file, part) = (folder.path().join("l.gz"), folder.path().join("l.gz.part"));
    let foreign = folder.path().join("foreign");
    let to = file.to_str().unwrap();
    let words = [
        "delete-db",
        "linked_db",
        "--confirm",
        "linked_db",
        "--backup",
        to,
    ];
    for (link, why) in [
        (true, "it is a symbolic link"),
        (false, "it has another name beside this one"),
    ] {
        std::fs::write(&foreign, "theirs").unwrap();
        std::fs::set_permissions(&foreign, std::fs::Permissions::from_mode(0o644)).unwrap();
        match link {
            true => symlink(&foreign, &part).unwrap(),
            false => std::fs::hard_link(&foreign, &part).unwrap(),
        }
        let stderr = run(&stage, &words).failed(4);
        assert!(
            stderr.contains(&format!("l.gz.part cannot be the backup's: {why}")),
            "{stderr}"
        );
        assert!(!file.exists() && stage.front.exists("linked_db") && stage.deletes() == 0);
        assert_eq!(std::fs::read(&foreign).unwrap(), b"theirs");
        let mode = std::fs::metadata(&foreign).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
        std::fs::remove_file(&part).unwrap();
    }
}

#[test]
fn a_creation_whose_answer_was_lost_is_not_taken_for_our_own() {
    let stage = Stage::open("stage-backup-lost");
    odd(&stage, "made_db", 3);
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("m.gz");
    let to = to.to_str().unwrap();
    run(&stage, &["backup", "made_db", "--to", to]).ok();
    let fault = Fault::drop_connection("PUT", "/made_copy").after_it_happened();
    stage.front.plant(fault);
    let words = ["restore", to, "--to", "made_copy", "--confirm", "made_copy"];
    let stderr = run(&stage, &words).failed(1);
    let told = "the answer to the creation was lost, and the database exists now: it may be somebody else's, so nothing was written into it\n";
    assert!(
        stderr.contains(told) && !stderr.contains("may hold a part"),
        "{stderr}"
    );
    let found = super::couch::good("GET", "/made_copy", None);
    assert_eq!(found["doc_count"], 0);
    run(&stage, &[&words[..], &["--into-existing"]].concat()).ok();
    assert_eq!(
        super::couch::all("made_copy").0,
        super::couch::all("made_db").0
    );
}
