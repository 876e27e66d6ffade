//! `onboard` in the sandbox: a new onboarding is refused for existing claims, databases and names.

use crate::harness::{RunOutput, kubectl, skvs};
use crate::terminal::Terminal;
use testbed::couchdb::{ORPHAN, ORPHAN_DOCUMENTS};

fn onboard(database: &str, account: &str, more: &[&str]) -> RunOutput {
    let (namespace, database) = database.split_once('_').expect("a joined name");
    let words = ["onboard", namespace, database, "--service-account", account];
    skvs([&words[..], more].concat()).run()
}

#[test]
fn what_the_cluster_has_speaks_against_a_new_onboarding() {
    let said = onboard("pds_database", "pds", &[]);
    assert_eq!(said.stdout, "");
    let told = said.failed(4);
    let claim = "HelmRelease flux-system/skvs-onboarding-pds--database already claims the database pds_database";
    assert!(told.contains(claim), "{told}");
    assert!(told.contains("nothing was written"), "{told}");

    // A database that was left behind, with its size.
    let told = onboard(ORPHAN, "x", &[]).failed(4);
    let there =
        format!("CouchDB already has the database {ORPHAN} ({ORPHAN_DOCUMENTS} documents, ");
    assert!(told.contains(&there), "{told}");
    assert!(told.contains("so the creation Job would fail"), "{told}");
    assert!(told.contains(&format!("delete-db {ORPHAN}")), "{told}");

    // The API server accepts the manifest of one that is not refused.
    let said = onboard("default_brand-new", "default", &["-o", "json"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    for word in ["not exist", "whether"] {
        assert!(!said.stderr.contains(word), "{}", said.stderr);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("manifest.json");
    std::fs::write(&file, &said.stdout).expect("it is written");
    let file = file.to_str().expect("a path");
    let taken = kubectl(&["create", "--dry-run=server", "-f", file]);
    assert!(
        taken.contains("skvs-onboarding-default--brand-new created"),
        "{taken}"
    );

    // A missing team is a warning, and that CouchDB is not asked is reported.
    let said = onboard("nowhere_x", "x", &["--no-exec"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let missing = "the namespace nowhere does not exist";
    assert!(said.stderr.contains(missing), "{}", said.stderr);
    let left_out = "not checked: whether CouchDB has nowhere_x already: left out by --no-exec";
    assert!(said.stderr.contains(left_out), "{}", said.stderr);
    let said = onboard("default_x", "nobody", &["--no-exec"]);
    let missing = "the service account default/nobody does not exist";
    assert!(said.stderr.contains(missing), "{}", said.stderr);
}

#[test]
fn what_is_missing_is_asked_for_on_a_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("manifest.yaml");
    let line = format!("PLUGIN > {}", out.display());
    let mut terminal = Terminal::shell(&line, &["onboard", "--local"]);
    for (question, answer) in [
        ("Namespace of the team's pods: ", "Pds\r"),
        ("is not a namespace", ""),
        ("Namespace of the team's pods: ", "pds\r"),
        ("Database: pds_: ", "orders\r"),
        ("Service accounts, separated by blanks: ", "api batch\r"),
        ("Only for data that is not sensitive", ""),
        ("yes or no (yes): ", "no\r"),
        ("Encryption is off", ""),
    ] {
        terminal.expect(question);
        if !answer.is_empty() {
            terminal.press(answer);
        }
    }
    let said = terminal.end();
    assert_eq!(said.code, 0, "{}", said.stdout);
    let manifest = std::fs::read_to_string(out).expect("it is written");
    let values = "    database: orders\n    serviceAccounts:\n      - api\n      - batch\n    encryption: false\n";
    assert!(manifest.ends_with(values), "{manifest}");
}
