//! What is not begun.

use super::couch::{odd, run};
use crate::delete_db::stage::{Pod, Stage, USUAL};
use crate::harness::Skvs;
use testbed::Sandbox;

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
        stderr.contains("404 not_found Database does not exist."),
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
        stderr.contains("r.gz cannot be restored: it is cut: its end is missing"),
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
