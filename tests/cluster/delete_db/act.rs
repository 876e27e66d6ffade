//! Deletions that are carried out, and the dry run.

use super::stage::{PASSWORD, Pod, Stage, USUAL};
use crate::harness::skvs;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use testbed::Sandbox;

/// A claim that appears while CouchDB is slow must be seen, so nothing is awaited between the claims and the exec that deletes.
#[test]
fn claims_are_the_last_thing_that_is_read() {
    let stage = Stage::new("stage-order");
    stage.front.create_database("order_db", 1).unwrap();
    let args = ["--confirm", "order_db", "-v", "6"];
    let said = skvs(stage.args("order_db", &args)).run();
    assert_eq!(said.code, 0, "{}", said.stderr);
    let requests: Vec<&str> = said
        .stderr
        .lines()
        .filter(|l| l.starts_with("GET "))
        .collect();
    let of = |part: &str| -> Vec<usize> {
        let all = requests.iter().enumerate();
        all.filter(|(_, l)| l.contains(part))
            .map(|(at, _)| at)
            .collect()
    };
    let (execs, releases) = (of("/exec?"), of("/helmreleases?"));
    // The last exec is the read-back.
    let [.., look, deletion, _] = execs[..] else {
        panic!("{}", said.stderr)
    };
    assert!(
        releases
            .last()
            .is_some_and(|at| (look + 1..deletion).contains(at)),
        "{}",
        said.stderr
    );
    assert!(
        requests[deletion - 1].contains("/helmreleases?"),
        "{}",
        said.stderr
    );
    let claims = [
        "/helmreleases",
        "/secrets",
        "/configmaps",
        "authorizationpolic",
        "couchdbcluster",
        "/apis",
    ];
    for line in &requests[look + 1..deletion] {
        assert!(claims.iter().any(|c| line.contains(c)), "{line}");
    }
}

#[test]
fn an_orphan_is_deleted_on_every_member_and_no_secret_is_seen() {
    let sandbox = Sandbox::shared();
    let front = sandbox.couchdb();
    front.create_database("gone-team_orders", 1234).unwrap();
    let said = skvs([
        "delete-db",
        "gone-team_orders",
        "--context",
        "sandbox",
        "--confirm",
        "gone-team_orders",
        "-v",
        "9",
    ])
    .run();
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(
        said.stdout,
        "database \"gone-team_orders\" deleted from secure-kvs namespace\n"
    );
    for line in [
        "This deletes a database and all its documents. This cannot be undone.",
        "  Backup       none; add --backup FILE to keep a copy\n",
        "  CouchDB      secure-kvs/db-agora-kvs-secure-kvs-agora-couchdb-0 (container couchdb, port ",
        "), 3.2.2, 3 of 3 members up",
        "  Database     gone-team_orders   1,234 documents, ",
        "  Onboarding   none claims it (",
        "Checked on 3 of 3 members: gone.",
    ] {
        assert!(
            said.stderr.contains(line),
            "no {line:?} in:\n{}",
            said.stderr
        );
    }
    assert!(!front.exists("gone-team_orders"));
    assert_eq!(front.count("DELETE", "/gone-team_orders"), 1);
    assert!(
        front
            .leftovers()
            .iter()
            .all(|(_, db)| db != "gone-team_orders")
    );

    let audit = std::fs::read_to_string(sandbox.audit_log()).unwrap();
    let execs: Vec<&str> = audit
        .lines()
        .filter(|l| l.contains("/exec?") && l.contains("gone-team_orders"))
        .collect();
    assert!(execs.len() >= 3, "the audit log must show the execs");
    let credentials = STANDARD.encode(format!("admin:{PASSWORD}"));
    let encoded: String = url_encoded(PASSWORD);
    for secret in [
        PASSWORD,
        credentials.as_str(),
        encoded.as_str(),
        "100%d",
        "100%25d",
    ] {
        assert!(execs.iter().all(|l| !l.contains(secret)));
        assert!(!said.stderr.contains(secret) && !said.stdout.contains(secret));
    }

    let again = skvs([
        "delete-db",
        "gone-team_orders",
        "--context",
        "sandbox",
        "--confirm",
        "gone-team_orders",
    ])
    .run();
    let stderr = again.failed(1);
    assert!(
        stderr.contains("is gone already: 3 of 3 members"),
        "{stderr}"
    );
    assert_eq!(front.count("DELETE", "/gone-team_orders"), 1);
}

fn url_encoded(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b' ' => "+".to_owned(),
            b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect()
}

#[test]
fn a_dry_run_reads_everything_and_deletes_nothing() {
    let stage = Stage::new("stage-dry-run");
    stage.front.create_database("dry_run", 3).unwrap();
    for flag in ["--dry-run", "--dry-run=server"] {
        let said = skvs(stage.args("dry_run", &[flag])).run();
        assert_eq!(
            said.stdout,
            "dry run: nothing was deleted; would delete database \"dry_run\" from stage-dry-run namespace\n"
        );
        assert!(
            said.stderr.contains("dry_run   3 documents"),
            "{}",
            said.stderr
        );
        assert_eq!(said.code, 0);
    }
    assert!(stage.front.exists("dry_run"));
    assert_eq!(stage.deletes(), 0);
    assert!(
        skvs(stage.args("dry_run", &["--dry-run=client"]))
            .run()
            .failed(2)
            .contains("--dry-run")
    );
    // A rehearsal with a confirmation fails as the deletion would.
    let wrong = ["--dry-run", "--confirm", "dry_ru"];
    let stderr = skvs(stage.args("dry_run", &wrong)).run().failed(4);
    assert!(stderr.starts_with("error: not confirmed: "), "{stderr}");
    let stderr = skvs(stage.args("dry_ru", &["--dry-run"])).run().failed(1);
    assert!(stderr.contains("database \"dry_ru\" not found"), "{stderr}");
    assert!(stderr.contains("hint: did you mean dry_run?"), "{stderr}");
}

#[test]
fn a_pod_without_curl_is_asked_by_bash_or_refused() {
    let tools = |names: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let found = ["/bin", "/usr/bin"]
                .iter()
                .map(|d| std::path::Path::new(d).join(name))
                .find(|p| p.exists());
            std::os::unix::fs::symlink(found.unwrap(), folder.path().join(name)).unwrap();
        }
        folder
    };
    let bash = tools(&["sh", "bash", "base64", "tr", "cat"]);
    let stage = Stage::with(
        "stage-bash",
        &Pod {
            path: bash.path().to_str(),
            ..USUAL
        },
    );
    stage.front.create_database("without_curl", 1).unwrap();
    assert_eq!(
        stage.delete("without_curl").ok(),
        "database \"without_curl\" deleted from stage-bash namespace\n"
    );
    assert!(!stage.front.exists("without_curl"));

    let none = tools(&["sh", "base64", "tr", "cat"]);
    let stage = Stage::with(
        "stage-no-client",
        &Pod {
            path: none.path().to_str(),
            ..USUAL
        },
    );
    stage.front.create_database("without_client", 1).unwrap();
    let stderr = stage.delete("without_client").failed(1);
    assert!(
        stderr.contains(
            "stage-no-client/db-0 (container couchdb): the container has neither curl nor bash"
        ),
        "{stderr}"
    );
    assert!(stage.front.requests().is_empty());

    let stage = Stage::with(
        "stage-no-user",
        &Pod {
            with_user: false,
            ..USUAL
        },
    );
    let stderr = stage.delete("without_user").failed(1);
    assert!(
        stderr.contains("COUCHDB_USER and COUCHDB_PASSWORD are not both set"),
        "{stderr}"
    );
    assert!(stage.front.requests().is_empty());
}
